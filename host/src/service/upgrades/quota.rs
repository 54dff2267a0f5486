//! The disk space that plans and journals of upgrades may take.
//!
//! A copy of an old environment is kept until its plan was carried out or dropped. The newest plans and journals are
//! kept; the oldest are deleted when a new plan is made. Files of an unfinished upgrade are never deleted.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::service::{Error, Service};
use crate::store::{RunState, room};

use super::{SOURCE, UPGRADES};

/// Most plans that are kept, besides those of unfinished upgrades.
const KEPT: usize = 20;
/// Most bytes of them.
const BYTES: u64 = 8 << 30;

/// The folder of a plan, with its age and size.
struct Kept {
    folder: PathBuf,
    changed: SystemTime,
    bytes: u64,
}

impl Service {
    /// Makes room for one more plan of an old environment, which takes `needed` bytes. Refuses if the disk has too
    /// little.
    pub(super) fn make_room(&self, needed: u64) -> Result<(), Error> {
        self.forget_uploads();
        let states: BTreeMap<String, RunState> =
            self.store.runs()?.into_iter().map(|run| (run.plan, run.state)).collect();
        let mut kept = Vec::new();
        for plan in folders(&self.store.folder().join(UPGRADES)) {
            let name = plan.file_name().unwrap_or_default().to_string_lossy();
            match states.get(&*name) {
                Some(RunState::Unfinished) => continue,
                Some(_) => remove(&plan.join(SOURCE)),
                None => {}
            }
            kept.push(measured(plan));
        }
        remove_oldest(kept, KEPT - 1, BYTES.saturating_sub(needed));
        Ok(room::check(self.store.folder(), needed)?)
    }

    /// Deletes the old environment of a plan that was carried out or dropped: a plan serves once.
    pub(super) fn forget_source(&self, plan: &str) {
        remove(&self.upgrade_folder(plan).join(SOURCE));
    }
}

/// Removes the oldest plans until at most `most` are left, of at most `bytes` together.
fn remove_oldest(mut kept: Vec<Kept>, most: usize, bytes: u64) {
    kept.sort_by_key(|it| std::cmp::Reverse(it.changed));
    let mut taken = 0_u64;
    for (place, Kept { folder, bytes: its, .. }) in kept.into_iter().enumerate() {
        taken = taken.saturating_add(its);
        if place < most && taken <= bytes {
            continue;
        }
        taken -= its;
        match fs::remove_dir_all(&folder) {
            Ok(()) => tracing::info!(folder = %folder.display(), "removed an old plan of an upgrade"),
            Err(error) => tracing::warn!(%error, folder = %folder.display(), "an old plan of an upgrade stays"),
        }
    }
}

fn folders(of: &Path) -> Vec<PathBuf> {
    // Where there is no folder, there is no plan.
    let entries = fs::read_dir(of).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

fn measured(folder: PathBuf) -> Kept {
    let files = fs::read_dir(&folder).into_iter().flatten().flatten().flat_map(|entry| entry.metadata());
    let (mut bytes, mut changed) = (0_u64, SystemTime::UNIX_EPOCH);
    for file in files {
        bytes = bytes.saturating_add(file.len());
        changed = changed.max(file.modified().unwrap_or(SystemTime::UNIX_EPOCH));
    }
    Kept { folder, changed, bytes }
}

fn remove(file: &Path) {
    match fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(%error, file = %file.display(), "a file that is of no use any more stays");
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_newest_plans_stay_up_to_a_number_and_a_size() {
        let left = |most, bytes| {
            let folder = tempfile::tempdir().unwrap();
            let kept = (1..=5).map(|number| {
                let plan = folder.path().join(number.to_string());
                fs::create_dir(&plan).unwrap();
                fs::write(plan.join("plan.json"), vec![0; 100]).unwrap();
                let Kept { folder, bytes, .. } = measured(plan);
                Kept { folder, bytes, changed: SystemTime::UNIX_EPOCH + Duration::from_secs(number) }
            });
            remove_oldest(kept.collect(), most, bytes);
            let mut names: Vec<_> = folders(folder.path())
                .iter()
                .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
                .collect();
            names.sort();
            names.concat()
        };
        assert_eq!(left(10, 1_000), "12345");
        assert_eq!(left(3, 1_000), "345");
        assert_eq!(left(10, 250), "45");
        assert_eq!(left(10, 0), "");
    }
}
