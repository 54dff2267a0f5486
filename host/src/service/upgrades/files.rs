//! The files of an upgrade: written whole or not at all, each under a name of its own.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use crate::service::Error;
use crate::store::durable;
use crate::upgrade::{self, copy_without_secrets};

use super::{PLAN, SOURCE};

/// A journal for the time a plan is made, deleted afterwards.
pub(super) struct Scratch(pub(super) PathBuf);

impl Scratch {
    pub(super) fn within(folder: &Path) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, SeqCst);
        let scratch = Self(folder.join(format!("scratch-{}-{count}.db", std::process::id())));
        // A file that an earlier process with the same id left says nothing about this plan.
        scratch.remove();
        scratch
    }

    fn remove(&self) {
        for end in ["", "-wal", "-shm"] {
            let mut file = self.0.clone().into_os_string();
            file.push(end);
            // A missing file needs no removal.
            let _ = fs::remove_file(file);
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.remove();
    }
}

/// The folder of a plan that is being made. If the plan is not finished, its files are deleted.
pub(super) struct Unfinished<'a>(pub(super) &'a Path);

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if !self.0.join(PLAN).exists() {
            // Another process may be making the same plan: its journal keeps the folder in place.
            let _ = fs::remove_file(self.0.join(SOURCE));
            let _ = fs::remove_dir(self.0);
        }
    }
}

/// Copies the archive at `from`, without secrets if it may have some. Returns the digest of the copy if that is another
/// archive now. The copy is on disk when the function returns.
pub(super) fn keep_source(from: &Path, to: &Path, may_have_secrets: bool) -> Result<Option<String>, Error> {
    // A plan that is made again from the kept file must not copy it onto itself.
    if from.canonicalize().ok() == to.canonicalize().ok() && to.exists() {
        return Ok(None);
    }
    let cleaned = Unused(unfinished(to));
    let is_another = may_have_secrets && copy_without_secrets(from, &cleaned.0).map_err(upgrade::Error::from)?;
    if !is_another {
        durable::copy_whole(from, to).map_err(|error| unusable(to, error))?;
        return Ok(None);
    }
    let digest = upgrade::digest(&cleaned.0).map_err(|error| unusable(&cleaned.0, error))?;
    durable::rename(&cleaned.0, to).map_err(|error| unusable(to, error))?;
    Ok(Some(digest))
}

/// A file that is deleted unless it was renamed.
struct Unused(PathBuf);

impl Drop for Unused {
    fn drop(&mut self) {
        // A missing file needs no removal.
        let _ = fs::remove_file(&self.0);
    }
}

/// Returns a name for a file while it is written, which no other file has.
fn unfinished(file: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    file.with_extension(format!("{}-{}.tmp", std::process::id(), COUNT.fetch_add(1, SeqCst)))
}

/// Writes a file, whole or not at all. It is on disk when the function returns.
pub(super) fn write_whole(file: &Path, text: &[u8]) -> Result<(), Error> {
    durable::write_whole(file, text).map_err(|error| unusable(file, error))
}

pub(super) fn unusable(path: &Path, source: io::Error) -> Error {
    upgrade::Error::File { path: path.display().to_string(), source }.into()
}
