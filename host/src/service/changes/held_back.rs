//! Profiles that an import holds back, because their people would have a second profile for one app.
//!
//! Where a second assignment is refused, one profile does not keep the rest of an archive from being written: it stays
//! as it was, in quarantine. A profile that is not here yet is not held back, because other items may name it.

use std::collections::BTreeMap;

use crate::domain::Kind;
use crate::domain::revision::Author;
use crate::store;
use crate::store::{Change, ChangeSet, Committed, Snapshot};

use super::commit::Origin;
use crate::service::{Error, Service};

/// Most profiles that one import holds back. Each of them costs another attempt.
const HELD_BACK_MAX: usize = 20;

impl Service {
    /// Writes the `changes` of an import over `base` as far as second assignments allow. Returns the outcome, and the
    /// profiles that stay as they were, each with the reason.
    pub(in crate::service) fn attempt_holding_back(
        &self,
        mut changes: ChangeSet,
        base: &Snapshot,
        author: &Author,
        origin: Origin<'_>,
    ) -> Result<(Committed, BTreeMap<String, String>), Error> {
        let mut held_back = BTreeMap::new();
        loop {
            let error = match self.attempt(&changes, author, origin) {
                Ok(committed) => return Ok((committed, held_back)),
                Err(error) => error,
            };
            let Error::Store(store::Error::Overlapping { profile, .. }) = &error else { return Err(error) };
            if held_back.len() == HELD_BACK_MAX || !hold_back(&mut changes, profile, base) {
                return Err(error);
            }
            held_back.insert(profile.clone(), format!("it stays as it was: {error}"));
        }
    }
}

/// Removes the writes of a profile from `changes`. Returns false if `base` has no such profile, or nothing would be
/// written of it.
fn hold_back(changes: &mut ChangeSet, profile: &str, base: &Snapshot) -> bool {
    let before = changes.changes.len();
    let writes = |change: &Change| matches!(change, Change::Put { name, item, .. } if item.kind() == Kind::Profile && **name == *profile);
    if base.entry(Kind::Profile, profile).is_some() {
        changes.changes.retain(|change| !writes(change));
    }
    changes.changes.len() < before
}
