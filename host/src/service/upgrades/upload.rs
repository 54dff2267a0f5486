//! Uploaded archives: files in the data folder for as long as a plan is made of them.
//!
//! The process that holds an upload has a lock on its file. Files that another process left are deleted at the start.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

use crate::service::Service;

use super::UPGRADES;

/// The prefix of the names of uploads.
const BEGINS: &str = ".upgrade-";

/// The age from which unfinished files of plans are deleted. No plan takes that long.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);

/// An uploaded archive. Its file is deleted when this value is dropped.
#[derive(Debug)]
pub struct Upload {
    path: PathBuf,
    /// Holds the lock.
    _file: File,
}

impl Upload {
    /// Returns the path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(%error, file = %self.path.display(), "an upload was not taken away");
        }
    }
}

impl Service {
    /// Writes an uploaded archive to a file, which is deleted when the value is dropped.
    pub fn keep_upload(&self, archive: &[u8]) -> io::Result<Upload> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("{BEGINS}{}-{}.zip", std::process::id(), COUNT.fetch_add(1, Relaxed));
        let path = self.store.folder().join(name);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path)?;
        file.lock()?;
        file.write_all(archive)?;
        Ok(Upload { path, _file: file })
    }

    /// Deletes files of processes that were killed while they made a plan.
    pub(in crate::service) fn forget_uploads(&self) {
        let folder = self.store.folder();
        let mut left = Vec::new();
        let uploads = entries(folder).filter(|path| is_called(path, |name| name.starts_with(BEGINS)));
        left.extend(uploads.filter(|path| is_left(path)));
        let of_plans = entries(&folder.join(UPGRADES)).flat_map(|plan| entries(&plan).collect::<Vec<_>>());
        let unfinished = |name: &str| name.starts_with("scratch-") || name.ends_with(".tmp");
        left.extend(of_plans.filter(|path| is_called(path, unfinished) && is_old(path)));
        for file in left {
            match fs::remove_file(&file) {
                Ok(()) => tracing::info!(file = %file.display(), "took away what was left of a plan"),
                Err(error) => tracing::warn!(%error, file = %file.display(), "what is left of a plan stays"),
            }
        }
    }
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()))
}

fn is_called(path: &Path, like: impl Fn(&str) -> bool) -> bool {
    path.file_name().and_then(|name| name.to_str()).is_some_and(like)
}

/// Returns whether no process has a lock on an upload.
fn is_left(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    !matches!(file.try_lock(), Err(TryLockError::WouldBlock | TryLockError::Error(_)))
}

fn is_old(path: &Path) -> bool {
    let written = fs::symlink_metadata(path).and_then(|there| there.modified());
    written.is_ok_and(|written| SystemTime::now().duration_since(written).is_ok_and(|age| age > ABANDONED))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::resolve::{Absent, Evaluation, Reads, ToolRules};
    use crate::store::Store;

    use super::*;

    struct NoRules;

    impl ToolRules for NoRules {
        fn evaluate(&self, _: &str, _: &str, _: Reads) -> Option<Evaluation> {
            None
        }

        fn fingerprint(&self) -> String {
            "none".to_owned()
        }

        fn has_rule(&self, _: &str) -> bool {
            false
        }

        fn absent(&self, _: &str) -> &[Absent] {
            &[]
        }
    }

    #[test]
    fn what_a_killed_process_left_is_gone_at_the_next_start_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let service = Service::new(Store::open(folder.path()).unwrap(), Arc::new(NoRules));
        let held = service.keep_upload(b"an archive").unwrap();
        let plan = folder.path().join(UPGRADES).join("abc");
        fs::create_dir_all(&plan).unwrap();
        let left = [folder.path().join(".upgrade-1-0.zip"), plan.join("scratch-1-0.db"), plan.join("source.1-0.tmp")];
        let kept = [plan.join("scratch-2-0.db"), plan.join("source.zip"), folder.path().join("upgrade.zip")];
        for file in left.iter().chain(&kept) {
            fs::write(file, "rows").unwrap();
        }
        let long_ago = SystemTime::now() - 2 * ABANDONED;
        for file in [&left[1], &left[2], &kept[1]] {
            File::options().write(true).open(file).unwrap().set_modified(long_ago).unwrap();
        }
        service.forget_uploads();
        assert_eq!(left.map(|file| file.exists()), [false; 3]);
        assert_eq!(kept.map(|file| file.exists()), [true; 3]);
        assert!(held.path().exists(), "a plan is being made of it");
        let path = held.path().to_owned();
        drop(held);
        assert!(!path.exists());
    }
}
