//! The changes that the store accepts, and their outcome.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::domain::access::Caller;
use crate::domain::plugin::Skipped;
use crate::domain::{AnyItem, Kind, Name, Problem, Profile, Revision, User};

use super::links::Links;

/// Changes that happen together or not at all, as one revision.
#[derive(Debug, Clone, Default)]
pub struct ChangeSet {
    /// The changes, in order. Items may refer to items that a later change makes.
    pub changes: Vec<Change>,
    /// What to do about rules that existing environments break.
    pub strictness: Strictness,
    /// Which items the change set may write.
    pub authority: Authority,
    /// The revision that must be the newest; `None` for any.
    pub base: Option<Revision>,
    /// The revision whose plugins were asked about the changes, if the caller asked them. If a plugin was changed after
    /// it, the change set is refused, because that plugin would have to be asked, too.
    pub plugins_of: Option<Revision>,
    /// The caller, who must have the privilege for everything that changes, whatever the request was about. Without a
    /// caller no privilege is required, and which plugins are let in cannot be changed.
    pub caller: Option<Caller>,
    /// Plugins for which the change set only records their duties. Such an entry hides tools and lets no code in, so it
    /// takes no privilege of its own.
    pub expects: BTreeSet<Arc<str>>,
}

/// What to do about rules that existing environments break, such as ranks that are taken twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Strictness {
    /// Refuses the change set: an author is there to mend it.
    #[default]
    Refuse,
    /// Writes it all the same and reports the problems: the content exists elsewhere.
    Report,
}

/// What a change set may write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Authority {
    /// Custom items. Items that came with the product are refused.
    #[default]
    Custom,
    /// Items that come with the product. Each item it writes becomes one of them.
    Product,
    /// Both. An item that came with the product stays one; any other is custom (ruling 8.15).
    Upgrader,
}

/// One change.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "most changes put an item, so boxing it would cost and save nothing")]
pub enum Change {
    /// Makes an item or replaces it whole. Changes nothing if the item is the same already.
    Put {
        /// The name of the item.
        name: Arc<str>,
        /// The item.
        item: AnyItem,
        /// Which state of the item the author expects.
        expect: Expect,
    },
    /// Deletes an item.
    Delete {
        /// The kind of the item.
        kind: Kind,
        /// The name of the item.
        name: Arc<str>,
        /// Which state of the item the author expects.
        expect: Expect,
        /// Whether links to the item are deleted, too, instead of refusing the deletion (ruling 8.5).
        force: bool,
    },
    /// Assigns a person to a profile directly.
    Assign {
        /// The profile.
        profile: Name<Profile>,
        /// The person.
        login: Name<User>,
    },
    /// Ends a direct assignment.
    Unassign {
        /// The profile.
        profile: Name<Profile>,
        /// The person.
        login: Name<User>,
    },
}

/// Which state of an item the author of a change expects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Expect {
    /// The item may exist or not.
    #[default]
    Anything,
    /// The item exists.
    Present,
    /// The item does not exist.
    Absent,
    /// The item is as this revision wrote it.
    Revision(Revision),
}

/// The outcome of a change set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Committed {
    /// The newest revision: the one made, or the one before if nothing changed.
    pub revision: Revision,
    /// The items and assignments that changed. Of the people that a forced delete or other apps of a profile reach, as
    /// many as [`Links`] lists.
    pub changed: Vec<Changed>,
    /// Direct assignments that new ones replaced.
    pub replaced: Vec<Replaced>,
    /// Direct assignments that ended because the apps of a profile changed.
    pub displaced: Vec<Displaced>,
    /// The links that a forced delete removed (ruling 8.5).
    pub unlinked: Links,
    /// Problems that an author would have had to mend, and that were written all the same.
    pub tolerated: Vec<Tolerated>,
    /// Steps that failed and were skipped.
    pub skipped: Vec<Skipped>,
}

/// An item or an assignment that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// The collection, or `assignments`.
    pub collection: String,
    /// The name of the item; for an assignment `profile/login`.
    pub name: String,
    /// How it changed.
    pub how: How,
}

/// How something changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// The item or assignment is new.
    Created,
    /// The item existed and was different.
    Updated,
    /// The item or assignment is gone.
    Deleted,
}

/// A direct assignment that a new one replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = ReplacedAssignment)]
pub struct Replaced {
    /// The person.
    pub login: String,
    /// The profile the person was assigned to before.
    pub profile: String,
}

/// Direct assignments that ended because another profile of the same people began to serve the same app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Displaced {
    /// The profile the people were assigned to.
    pub profile: String,
    /// The profile the people stay assigned to, and that serves the app now.
    pub by: String,
    /// The number of the people.
    pub people: u64,
}

/// A broken rule that was reported and not refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tolerated {
    /// The kind of the item.
    pub kind: Kind,
    /// The name of the item.
    pub name: String,
    /// The problem of the item.
    pub problem: Problem,
}

impl Displaced {
    /// The most profiles that a report of ended assignments names; the others are counted.
    pub const NAMED: usize = 20;

    /// Returns the entries of `displaced` that are named, and the number of the others.
    pub fn named(displaced: &[Self]) -> (&[Self], usize) {
        let (named, others) = displaced.split_at(displaced.len().min(Self::NAMED));
        (named, others.len())
    }

    /// Returns the lines of a report about `displaced`: a place and a sentence each.
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
    /// Returns a change set of an author who can mend what is refused.
    pub fn new(changes: impl IntoIterator<Item = Change>) -> Self {
        Self { changes: changes.into_iter().collect(), ..Self::default() }
    }
}

impl Change {
    /// Returns a change that puts `item` under `name`, in any state of that item.
    pub fn put(name: impl Into<Arc<str>>, item: impl Into<AnyItem>) -> Self {
        Self::Put { name: name.into(), item: item.into(), expect: Expect::Anything }
    }
}
