//! Revisions: the numbers of configuration changes, and the record of each.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Effort, Kind};

/// The number of a configuration change. Every write makes the next one; 0 is the empty environment.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(try_from = "u64")]
pub struct Revision(pub u64);

/// The refusal of a number that no revision can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no revision: their numbers are at most 9223372036854775807")]
pub struct InvalidRevision(u64);

impl TryFrom<u64> for Revision {
    type Error = InvalidRevision;

    fn try_from(number: u64) -> Result<Self, InvalidRevision> {
        if i64::try_from(number).is_ok() { Ok(Self(number)) } else { Err(InvalidRevision(number)) }
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The author of a change, with the reason.
#[derive(Debug, Clone)]
pub struct Author {
    /// The name of the person or program.
    pub who: String,
    /// The reason, in words; may be empty.
    pub why: String,
    /// The request that makes the change, for the records of the calls it causes. Not kept.
    pub request: Option<Arc<str>>,
    /// The cost of that request so far. Not kept.
    pub effort: Arc<Effort>,
}

impl Author {
    /// Makes an author with a reason that may be empty.
    pub fn new(who: impl Into<String>, why: impl Into<String>) -> Self {
        Self { who: who.into(), why: why.into(), request: None, effort: Arc::default() }
    }
}

/// The record of one revision.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct RevisionRecord {
    /// Its number.
    pub revision: Revision,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub at: jiff::Timestamp,
    /// The author.
    pub who: String,
    /// The reason.
    pub why: String,
    /// The changes, by collection and name.
    pub changes: Vec<ChangeRecord>,
    /// The number of changes that are left out, because they are about people whom the caller may not read.
    #[serde(skip_serializing_if = "is_none_left_out")]
    #[schema(required = false)]
    pub left_out: usize,
}

impl RevisionRecord {
    /// Leaves out the changes that are about people, and counts them.
    pub fn leave_people_out(&mut self) {
        let all = self.changes.len();
        self.changes.retain(|change| !change.is_about_people());
        self.left_out += all - self.changes.len();
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks like this")]
fn is_none_left_out(left_out: &usize) -> bool {
    *left_out == 0
}

/// The change of one item in one revision.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ChangeRecord {
    /// The collection; direct assignments count as `assignments`.
    pub collection: String,
    /// The item.
    pub name: String,
    /// The item before; nothing if it was made.
    #[schema(value_type = serde_json::Value)]
    pub before: Option<serde_json::Value>,
    /// The item after; nothing if it was deleted.
    #[schema(value_type = serde_json::Value)]
    pub after: Option<serde_json::Value>,
}

impl ChangeRecord {
    /// The collection under which direct assignments are recorded.
    pub const ASSIGNMENTS: &str = "assignments";

    /// Tells whether the change is about a person, or about a direct assignment.
    pub fn is_about_people(&self) -> bool {
        self.collection == Kind::User.collection() || self.collection == Self::ASSIGNMENTS
    }

    /// Returns the collection of items of `kind`.
    pub fn collection_of(kind: Kind) -> String {
        kind.collection().to_owned()
    }
}
