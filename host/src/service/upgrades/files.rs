//! The files of an upgrade: written whole or not at all, told apart from every other.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use crate::service::Error;
use crate::store::durable;
use crate::upgrade;

use super::{PLAN, SOURCE};

/// A journal that is of no use once the plan is made.
pub(super) struct Scratch(pub(super) PathBuf);

impl Scratch {
    pub(super) fn within(folder: &Path) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, SeqCst);
        let scratch = Self(folder.join(format!("scratch-{}-{count}.db", std::process::id())));
        // What a process of the same number left behind says nothing about this plan.
        scratch.remove();
        scratch
    }

    fn remove(&self) {
        for end in ["", "-wal", "-shm"] {
            let mut file = self.0.clone().into_os_string();
            file.push(end);
            // What is not there need not go.
            let _ = fs::remove_file(file);
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.remove();
    }
}

/// An old environment that was sent, while it is read: gone when this is dropped.
pub(super) struct Upload(pub(super) PathBuf);

impl Upload {
    /// What the names of such files begin with.
    pub(super) const PREFIX: &str = ".upgrade-";

    pub(super) fn keep(folder: &Path, zip: &[u8]) -> Result<Self, Error> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let (process, count) = (std::process::id(), COUNT.fetch_add(1, SeqCst));
        let upload = Self(folder.join(format!("{}{process}-{count}.zip", Self::PREFIX)));
        fs::write(&upload.0, zip).map_err(|error| unusable(&upload.0, error))?;
        Ok(upload)
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        // What was never written need not go.
        let _ = fs::remove_file(&self.0);
    }
}

/// The folder of a plan that is being made: unless it is, nothing of it stays.
pub(super) struct Unfinished<'a>(pub(super) &'a Path);

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if !self.0.join(PLAN).exists() {
            // Another process may be making the same plan: its journal keeps the folder where it is.
            let _ = fs::remove_file(self.0.join(SOURCE));
            let _ = fs::remove_dir(self.0);
        }
    }
}

/// Copies an old environment, whole or not at all. The copy is on disk when it returns.
pub(super) fn keep_source(from: &Path, to: &Path) -> Result<(), Error> {
    // Planning again over the file that is kept must not copy it onto itself.
    if from.canonicalize().ok() == to.canonicalize().ok() && to.exists() {
        return Ok(());
    }
    durable::copy_whole(from, to).map_err(|error| unusable(to, error))
}

/// Writes a file, whole or not at all. It is on disk when it returns.
pub(super) fn write_whole(file: &Path, text: &[u8]) -> Result<(), Error> {
    durable::write_whole(file, text).map_err(|error| unusable(file, error))
}

pub(super) fn unusable(path: &Path, source: io::Error) -> Error {
    upgrade::Error::File { path: path.display().to_string(), source }.into()
}
