//! Rights: whoever writes needs the privilege for everything that changes, whatever it was that they asked for.
//!
//! Where one request changes one kind of item, the address says which privilege that takes. An import and a forced delete
//! reach further, and nobody knows how far before the change set is settled.

use crate::domain::Kind;
use crate::domain::access::{Caller, Privilege};
use crate::domain::revision::ChangeRecord;

use super::{Committed, Error};

/// Refuses what `caller` may not write.
pub(super) fn check(caller: &Caller, committed: &Committed) -> Result<(), Error> {
    let mut needed = committed.changed.iter().map(|changed| match changed.collection.parse::<Kind>() {
        Ok(kind) => Privilege::to_write(kind),
        Err(_) => {
            debug_assert_eq!(changed.collection, ChangeRecord::ASSIGNMENTS);
            Privilege::PeopleWrite
        }
    });
    match needed.find(|privilege| !caller.has(*privilege)) {
        Some(privilege) => Err(Error::Forbidden { caller: caller.name().to_owned(), privilege }),
        None => Ok(()),
    }
}
