//! Rights: whoever writes needs the privilege for everything that changes, whatever it was that they asked for.
//!
//! Where one request changes one kind of item, the address says which privilege that takes. An import and a forced delete
//! reach further, and nobody knows how far before the change set is settled.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::domain::Kind;
use crate::domain::access::{Caller, Privilege};
use crate::domain::revision::ChangeRecord;

use super::{Changed, Committed, Error, How};

/// Refuses what `caller` may not write. Plugins of which only what they answer for is noted take no privilege.
pub(super) fn check(caller: &Caller, committed: &Committed, expects: &BTreeSet<Arc<str>>) -> Result<(), Error> {
    let is_expected = |changed: &&Changed| {
        changed.how != How::Deleted
            && changed.collection == Kind::Plugin.collection()
            && expects.contains(changed.name.as_str())
    };
    let mut needed = committed.changed.iter().filter(|changed| !is_expected(changed)).map(|changed| {
        match changed.collection.parse::<Kind>() {
            Ok(kind) => Privilege::to_write(kind),
            Err(_) => {
                debug_assert_eq!(changed.collection, ChangeRecord::ASSIGNMENTS);
                Privilege::PeopleWrite
            }
        }
    });
    match needed.find(|privilege| !caller.has(*privilege)) {
        Some(privilege) => Err(Error::Forbidden { caller: caller.name().to_owned(), privilege }),
        None => Ok(()),
    }
}
