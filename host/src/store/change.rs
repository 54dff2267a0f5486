//! What can be asked of the store, and what came of it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::domain::access::Caller;
use crate::domain::plugin::Skipped;
use crate::domain::{AnyItem, Kind, Name, Problem, Profile, Revision, User};

use super::Referrer;

/// Changes that happen together or not at all, as one revision.
#[derive(Debug, Clone, Default)]
pub struct ChangeSet {
    /// The changes, in order. Items may refer to items that a later change makes.
    pub changes: Vec<Change>,
    /// What to do about rules that existing environments break.
    pub strictness: Strictness,
    /// What may be written.
    pub authority: Authority,
    /// The revision that must be the newest; any if there is none.
    pub base: Option<Revision>,
    /// The revision whose plugins were asked, if that was looked at: one that was changed later might have a say.
    pub plugins_of: Option<Revision>,
    /// Who must have the privilege for everything that changes, whatever it was that they asked for. Without a caller no privilege is
    /// asked for, and nothing changes about which plugins are let in.
    pub caller: Option<Caller>,
    /// Plugins of which only what they answer for is noted. That hides tools and lets no code in, so it takes no privilege of its own.
    pub expects: BTreeSet<Arc<str>>,
}

/// What to do about rules that existing environments break, such as ranks that are taken twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Strictness {
    /// Refuse the change set: an author is there to mend it.
    #[default]
    Refuse,
    /// Write it all the same and report: the content exists elsewhere.
    Report,
}

/// What a change set may write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Authority {
    /// Custom items; those that came with the product are refused.
    #[default]
    Custom,
    /// The items that come with the product. Whatever it writes becomes one of them.
    Product,
    /// Both: an item that came with the product stays one, any other is custom (ruling 8.15).
    Upgrader,
}

/// One change.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "most changes put an item, so boxing it would cost and save nothing")]
pub enum Change {
    /// Makes an item or replaces it whole. Nothing happens if it is already so.
    Put {
        /// Its name.
        name: Arc<str>,
        /// The item.
        item: AnyItem,
        /// What the author believes is there.
        expect: Expect,
    },
    /// Deletes an item.
    Delete {
        /// What it is.
        kind: Kind,
        /// Its name.
        name: Arc<str>,
        /// What the author believes is there.
        expect: Expect,
        /// Whether links to it go, too, instead of keeping it (ruling 8.5).
        force: bool,
    },
    /// Assigns a person to a profile directly.
    Assign {
        /// The profile.
        profile: Name<Profile>,
        /// The person.
        login: Name<User>,
    },
    /// Takes a direct assignment back.
    Unassign {
        /// The profile.
        profile: Name<Profile>,
        /// The person.
        login: Name<User>,
    },
}

/// What the author of a change believes is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Expect {
    /// Anything, or nothing.
    #[default]
    Anything,
    /// Something.
    Present,
    /// Nothing.
    Absent,
    /// The item that this revision wrote.
    Revision(Revision),
}

/// What came of a change set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Committed {
    /// The newest revision: the one made, or the one before if nothing had to change.
    pub revision: Revision,
    /// What really changed. Of the people that a forced delete or other apps of a profile reach, as many as [`Links`] lists.
    pub changed: Vec<Changed>,
    /// Direct assignments that gave way to new ones.
    pub replaced: Vec<Replaced>,
    /// Direct assignments that ended because the apps of a profile changed.
    pub displaced: Vec<Displaced>,
    /// The links that a forced delete took away (ruling 8.5).
    pub unlinked: Links,
    /// What was written although an author would have had to mend it.
    pub tolerated: Vec<Tolerated>,
    /// Steps that broke and were passed over.
    pub skipped: Vec<Skipped>,
}

/// Links to an item. There may be as many as there are people, so not all of those are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Links {
    /// Those of the configuration, all of them; then the first people, by login.
    pub listed: Vec<Referrer>,
    /// How many there are.
    pub count: u64,
}

impl Links {
    /// How many people are listed at most.
    pub const PEOPLE: usize = 20;

    pub(super) fn add(&mut self, more: Self) {
        self.count += more.count;
        self.listed.extend(more.listed);
    }
}

/// One thing that really changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// The collection, or `assignments`.
    pub collection: String,
    /// Its name; for an assignment `profile/login`.
    pub name: String,
    /// How.
    pub how: How,
}

/// How something changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// It was not there before.
    Created,
    /// It was different.
    Updated,
    /// It is gone.
    Deleted,
}

/// A direct assignment that gave way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = ReplacedAssignment)]
pub struct Replaced {
    /// The person.
    pub login: String,
    /// The profile the person was assigned to before.
    pub profile: String,
}

/// Direct assignments that ended, because another profile of the same people began to serve the same app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Displaced {
    /// The profile the people were assigned to.
    pub profile: String,
    /// The profile that they are assigned to as before, and that serves the app now.
    pub by: String,
    /// How many people that were.
    pub people: u64,
}

/// A rule that was broken and reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tolerated {
    /// The kind of the item.
    pub kind: Kind,
    /// The item.
    pub name: String,
    /// What is wrong with it.
    pub problem: Problem,
}

impl Displaced {
    /// How many profiles are named at most, wherever ended assignments are told; the others are counted.
    pub const NAMED: usize = 20;

    /// The entries of `displaced` that are named, and the number of the others.
    pub fn named(displaced: &[Self]) -> (&[Self], usize) {
        let (named, others) = displaced.split_at(displaced.len().min(Self::NAMED));
        (named, others.len())
    }

    /// What a report says of `displaced`: where, and one sentence each.
    pub fn told(displaced: &[Self]) -> Vec<(String, String)> {
        let (named, others) = Self::named(displaced);
        let profiles = Kind::Profile.collection();
        let place = |it: &Self| (format!("{profiles}/{}", it.profile), it.to_string());
        let mut told: Vec<_> = named.iter().map(place).collect();
        match others {
            0 => {}
            1 => told.push((profiles.to_owned(), "1 other profile loses people in the same way".to_owned())),
            _ => told.push((profiles.to_owned(), format!("{others} other profiles lose people in the same way"))),
        }
        told
    }
}

impl fmt::Display for Displaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { profile, by, people } = self;
        match people {
            1 => write!(f, "1 person loses")?,
            _ => write!(f, "{people} people lose")?,
        }
        write!(f, " profile `{profile}`: profile `{by}`, which they have too, begins to serve one of its apps")
    }
}

impl ChangeSet {
    /// Changes by an author who can mend what is refused.
    pub fn new(changes: impl IntoIterator<Item = Change>) -> Self {
        Self { changes: changes.into_iter().collect(), ..Self::default() }
    }
}

impl Change {
    /// Puts `item` under `name` whatever is there.
    pub fn put(name: impl Into<Arc<str>>, item: impl Into<AnyItem>) -> Self {
        Self::Put { name: name.into(), item: item.into(), expect: Expect::Anything }
    }
}
