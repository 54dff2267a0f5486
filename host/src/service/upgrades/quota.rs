//! How much of the disk the plans and journals of upgrades may take.
//!
//! What an old environment was is needed until its plan was carried out or dropped, and goes then. Of plans and journals the newest are
//! kept; the oldest go when a new plan is made. What an unfinished upgrade needs is never touched.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::service::{Error, Service};
use crate::store::{RunState, room};

use super::files::Upload;
use super::{SOURCE, UPGRADES};

/// Plans and journals that are kept, besides what an unfinished upgrade needs.
const KEPT: usize = 20;
/// Bytes of them.
const BYTES: u64 = 8 << 30;
/// After this time, what was sent and is still there was left behind by a process that was killed.
const LEFT_BEHIND: Duration = Duration::from_secs(3_600);

/// A plan with what lies beside it.
struct Kept {
    folder: PathBuf,
    changed: SystemTime,
    bytes: u64,
}

impl Service {
    /// Makes room for one more plan over an old environment, which takes `needed` bytes. Refused if the disk has too little.
    pub(super) fn make_room(&self, needed: u64) -> Result<(), Error> {
        remove_uploads(self.store.folder());
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

    /// Forgets the old environment of a plan that was carried out or dropped: a plan serves once.
    pub(super) fn forget_source(&self, plan: &str) {
        remove(&self.upgrade_folder(plan).join(SOURCE));
    }
}

/// Removes the oldest until no more than `most` of no more than `bytes` are left.
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

/// Removes what processes that were killed had been sent.
fn remove_uploads(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let age = entry.metadata().and_then(|file| file.modified()).ok().and_then(|at| at.elapsed().ok());
        let is_upload = entry.file_name().to_string_lossy().starts_with(Upload::PREFIX);
        if is_upload && age.is_some_and(|age| age > LEFT_BEHIND) {
            remove(&entry.path());
        }
    }
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

    #[test]
    fn what_was_sent_to_a_process_that_is_gone_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join(".upgrade-1-0.zip"), folder.path().join(".upgrade-2-0.zip"));
        for file in [&old, &new] {
            fs::write(file, "zip").unwrap();
        }
        let long_ago = SystemTime::now() - 2 * LEFT_BEHIND;
        fs::File::options().write(true).open(&old).unwrap().set_modified(long_ago).unwrap();
        remove_uploads(folder.path());
        assert_eq!((old.exists(), new.exists()), (false, true));
    }
}
