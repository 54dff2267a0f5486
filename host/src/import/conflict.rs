//! Handles conflicts about single items, such as the custom default profile: the environment has one, and the archive
//! has a different one (ruling 8.20).
//!
//! The caller of the import chooses which of the two stays. The report names the one that gives way. If the caller
//! chooses neither, nothing is imported, and the refusal names every conflict.

use serde::Deserialize;
use serde_json::Value;

use crate::domain::{AnyItem, DefaultProfile, Environment, Kind};
use crate::store::Layer;

use super::Error;
use super::report::Outcome;
use super::work::Work;

/// What to do if the custom default profile, or the settings of the environment, differ here and in the archive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnConflict {
    /// Keep the one that is here.
    Keep,
    /// Take the one of the archive.
    #[default]
    Take,
    /// Import nothing.
    Fail,
}

/// Two different states of a single item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The state here, in words.
    pub here: String,
    /// The state in the archive, in words.
    pub incoming: String,
}

/// Describes conflicts in one sentence.
pub(super) fn told(conflicts: &[Conflict]) -> String {
    let one =
        |Conflict { here, incoming }: &Conflict| format!("{incoming} of the archive would take the place of {here}");
    conflicts.iter().map(one).collect::<Vec<_>>().join(", and ")
}

/// The items of which an environment has only one.
const SINGLE: [(Kind, &str); 2] =
    [(Kind::DefaultProfile, DefaultProfile::NAME), (Kind::Environment, Environment::NAME)];

/// Decides every conflict as `choice` says.
pub(super) fn settle(work: &mut Work<'_>, choice: OnConflict) -> Result<(), Error> {
    let mut refused = Vec::new();
    for (kind, name) in SINGLE {
        let here = work.base.entry(kind, name).filter(|entry| entry.layer == Layer::Custom).map(|entry| &entry.item);
        let (Some(here), Some(incoming)) = (here, work.planned_any(kind, name)) else { continue };
        if portable(here) == portable(incoming) {
            continue;
        }
        let (here, incoming) = (said(here), said(incoming));
        let message = match choice {
            OnConflict::Fail => {
                refused.push(Conflict { here, incoming });
                continue;
            }
            OnConflict::Take => format!("{incoming} of the archive takes the place of {here}"),
            OnConflict::Keep => format!("{here} stays, and {incoming} of the archive is left out"),
        };
        if let Some(component) = work.component_of(kind, name) {
            work.note(component, message.as_str());
        }
        if choice == OnConflict::Keep {
            work.withdraw(kind, name, Outcome::Skipped, "what is here was to be kept");
        }
        work.report.warn("conflict", format!("{}/{name}", kind.collection()), message);
    }
    if refused.is_empty() { Ok(()) } else { Err(Error::Conflict(refused)) }
}

/// The part of an item that an archive carries to other environments.
fn portable(item: &AnyItem) -> Value {
    match item {
        AnyItem::Environment(environment) => {
            let mut environment = environment.clone();
            environment.keep_own(&Environment::default());
            AnyItem::from(environment).to_json()
        }
        other => other.to_json(),
    }
}

/// An item as sentences name it.
fn said(item: &AnyItem) -> String {
    match item {
        AnyItem::DefaultProfile(default) => format!("the custom default `{}`", default.profile),
        _ => "the settings of the environment".to_owned(),
    }
}
