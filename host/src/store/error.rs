//! The errors of the store.

use std::fmt;

use serde::Serialize;

use crate::domain::access::Privilege;
use crate::domain::{InvalidItem, InvalidName, Kind, Revision};

use super::Links;
use super::links::Referrer;

/// A request the store refused, or could not carry out.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the sentences say what the variants mean, and the fields what they speak of")]
pub enum Error {
    #[error("{kind} `{name}` does not exist")]
    NotFound { kind: Kind, name: String },
    #[error("{kind} `{name}` exists already: choose another name, or replace it without `If-None-Match`")]
    Exists { kind: Kind, name: String },
    #[error("{kind} `{name}` was written by revision {current}, not by {seen}: read it again and repeat the change")]
    Stale { kind: Kind, name: String, seen: Revision, current: Revision },
    #[error("{kind} `{name}` came with the product and cannot be changed: copy it and change the copy")]
    ReadOnly { kind: Kind, name: String },
    #[error(transparent)]
    Invalid(#[from] InvalidItem),
    #[error(transparent)]
    InvalidName(#[from] InvalidName),
    #[error("{}", Missing(.0))]
    MissingReferences(Vec<MissingReference>),
    #[error("{kind} `{name}` is in use by {}: remove these links first, or delete it with `force`", Users(links))]
    InUse { kind: Kind, name: String, links: Links },
    #[error("{kind} `{name}` is gone since it was read: write it without `If-Match` to make it again")]
    Gone { kind: Kind, name: String },
    #[error("{kind} `{name}` cannot be taken from `{}` of {} `{}`: {why}; change that first", by.attribute, by.collection, by.name)]
    StillNeeded { kind: Kind, name: String, by: Box<Referrer>, why: String },
    #[error("the environment would have {count} {what}, {max} are the most: delete what is not used first")]
    LibraryFull { what: &'static str, count: usize, max: usize },
    #[error("rank {rank} is taken by profile `{by}`: choose another rank")]
    RankTaken { rank: u8, by: String },
    #[error("profile `{profile}` is the custom default and cannot have rank and roles: remove the default first")]
    IsDefault { profile: String },
    #[error("profile `{profile}` {why}, so it cannot be the custom default: choose another default first")]
    CannotBeDefault { profile: String, why: &'static str },
    #[error(
        "user `{login}` is assigned to profile `{profile}` already, and this environment refuses a second assignment for the same app: take them out of that profile first, by `DELETE /api/v1/profiles/{profile}/users/{login}`"
    )]
    AlreadyAssigned { login: String, profile: String },
    #[error(
        "profile `{profile}` would be for the same app as profile `{other}`, and both have {}, and this environment refuses a second assignment: take them out of one of the two first, such as by `POST /api/v1/profiles/{other}/users` with `remove`",
        People(links)
    )]
    Overlapping { profile: String, other: String, links: Links },
    #[error("revision {asked} does not exist: the newest is {newest}")]
    NoSuchRevision { asked: Revision, newest: Revision },
    #[error(
        "as many questions about the past wait as may, because each needs the library of then: ask again in some seconds, or leave `asOf` out"
    )]
    TooManyPast,
    #[error("there is no secret `{name}`: `GET /api/v1/secrets` lists those there are")]
    NoSuchSecret { name: String },
    #[error("the database has shape {found}, this program knows shapes up to {known}: use a newer loadout")]
    Newer { found: usize, known: usize },
    #[error(
        "the database has shape {found}, this program works on shape {known}: start `loadout serve` once, which changes it and keeps a copy"
    )]
    Older { found: usize, known: usize },
    #[error("the database file was not made by loadout: choose another data folder")]
    NotOurs,
    #[error(
        "upgrade {run} is being carried out by {owner}, last heard of {seconds} seconds ago: wait for it, or type `loadout upgrade status`"
    )]
    LeaseHeld { run: u64, owner: String, seconds: u64 },
    #[error("upgrade {run} was taken over by another process: type `loadout upgrade status`")]
    LeaseLost { run: u64 },
    #[error(
        "upgrade {run} is not finished: carry it on with `loadout upgrade resume`, or drop it with `loadout upgrade abandon`"
    )]
    RunUnfinished { run: u64 },
    #[error("the plan `{plan}` was used by upgrade {run} already: make a new one with `loadout upgrade plan`")]
    PlanUsed { plan: String, run: u64 },
    #[error("the plan is for revision {base}, and the newest is {newest}: make a new one with `loadout upgrade plan`")]
    BaseMoved { base: Revision, newest: Revision },
    #[error("event {id} of the outbox is done already")]
    EventDone { id: u64 },
    #[error("the newest revision is {newest}, not {base}: another change was written in between, so try again")]
    Moved { base: Revision, newest: Revision },
    #[error(
        "no upgrade is unfinished: make a plan with `loadout upgrade plan FILE.zip`, and carry it out with `apply`"
    )]
    NoneUnfinished,
    #[error("there is no upgrade {run}: type `loadout upgrade history`")]
    NoSuchRun { run: u64 },
    #[error("upgrade {run} is {state}, so it cannot be {wanted}: type `loadout upgrade status {run}`")]
    WrongState { run: u64, state: &'static str, wanted: &'static str },
    #[error("the change reaches what `{caller}` may not write: it needs the privilege `{privilege}`, too")]
    Forbidden { caller: String, privilege: Privilege },
    #[error("there is no token `{name}`: type `loadout token list`, or ask `/api/v1/tokens`")]
    NoSuchToken { name: String },
    #[error("there is, or was, a token `{name}` already: choose another name, so that history can tell them apart")]
    TokenExists { name: String },
    #[error("the token `{name}` is {standing} and stays so: make another one under another name")]
    TokenOver { name: String, standing: &'static str },
    #[error("the token would expire at {expires}, which is over: name a moment to come")]
    PastExpiry { expires: jiff::Timestamp },
    #[error("this machine has no randomness, so no secret can be made: {0}")]
    NoRandomness(String),
    #[error("the database holds something this program cannot read")]
    Corrupt(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("there is no room left in `{folder}`: nothing was written; make room there and repeat the request")]
    Full {
        folder: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error(
        "the journal of the upgrade is larger than {max} bytes, which is more than old environments are: export fewer tables at once"
    )]
    JournalTooLarge { max: u64 },
    #[error("the data folder `{path}` cannot be used")]
    Folder {
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error("the database failed")]
    Database(#[from] rusqlite::Error),
}

/// A reference to an item that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MissingReference {
    /// The collection of the item with the reference.
    pub collection: String,
    /// The item with the reference.
    pub name: String,
    /// The attribute with the reference.
    pub attribute: String,
    /// The collection in which it should be.
    pub wanted_in: String,
    /// The name that was given.
    pub wanted: String,
}

impl MissingReference {
    /// The most missing references that are listed. The check ends there.
    pub const LISTED_MAX: usize = 20;
}

/// The most names that a sentence lists; it counts the others.
const NAMED: usize = 5;

struct Missing<'a>(&'a [MissingReference]);

impl fmt::Display for Missing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, missing) in self.0.iter().take(NAMED).enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            let MissingReference { collection, name, attribute, wanted_in, wanted } = missing;
            write!(f, "{comma}`{wanted}` is not in {wanted_in} (named by `{attribute}` of {collection} `{name}`)")?;
        }
        if self.0.len() > NAMED {
            let least = if self.0.len() < MissingReference::LISTED_MAX { "" } else { "at least " };
            write!(f, " and {least}{} more", self.0.len() - NAMED)?;
        }
        write!(f, ": create what is missing first, or correct the name")
    }
}

/// Writes people by login: the first ones, and the number of the others.
struct People<'a>(&'a Links);

impl fmt::Display for People<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Links { listed, count } = self.0;
        let logins: Vec<String> = listed.iter().map(|person| format!("`{}`", person.name)).collect();
        let people = if *count == 1 { "person" } else { "people" };
        write!(f, "{count} {people} ({}", logins.join(", "))?;
        if *count > listed.len() as u64 {
            write!(f, " and {} more", count - listed.len() as u64)?;
        }
        f.write_str(")")
    }
}

struct Users<'a>(&'a Links);

impl fmt::Display for Users<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, referrer) in self.0.listed.iter().take(NAMED).enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            let Referrer { collection, name, attribute } = referrer;
            write!(f, "{comma}`{attribute}` of {collection} `{name}`")?;
        }
        let named = self.0.listed.len().min(NAMED) as u64;
        if self.0.count > named {
            write!(f, " and {} more", self.0.count - named)?;
        }
        Ok(())
    }
}
