//! Writes files that survive a power cut.
//!
//! A file survives if its content is on disk and its folder's entry for it is. This module does both, and nothing else.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Makes `folder` and its parent folders, for their owner alone. Their names are on disk when it returns.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        make_folder(parent)?;
    }
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(folder) {
        // Another process made it first.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        Err(error) => Err(error),
        Ok(()) => sync_folder(parent.unwrap_or(Path::new("."))),
    }
}

/// Syncs the names within `folder` to disk.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    // Other systems do not let a folder be opened, and do not need this.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Renames a file that is on disk, within its folder. The name is on disk when it returns.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    sync_folder(to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")))
}

/// Writes `content` into `file`, whole or not at all. It is on disk when it returns.
pub fn write_whole(file: &Path, content: &[u8]) -> io::Result<()> {
    put_whole(file, |unfinished| unfinished.write_all(content))
}

/// Copies `from` to `to`, whole or not at all. The copy is on disk when it returns.
pub fn copy_whole(from: &Path, to: &Path) -> io::Result<()> {
    let mut source = File::open(from)?;
    put_whole(to, |unfinished| io::copy(&mut source, unfinished).map(drop))
}

/// Writes an unfinished file under another name, and removes it if the writing fails.
fn put_whole(file: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let unfinished = unfinished(file);
    let put = || {
        let mut open = File::create(&unfinished)?;
        write(&mut open)?;
        open.sync_all()?;
        rename(&unfinished, file)
    };
    put().inspect_err(|_| {
        // The error of the write matters more than an unfinished file that stays.
        let _ = fs::remove_file(&unfinished);
    })
}

/// Returns the name of a file while it is written, unique among processes and writes.
fn unfinished(file: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    file.with_extension(format!("{}-{}.tmp", std::process::id(), COUNT.fetch_add(1, Relaxed)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_written_leaves_what_was_there_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let within = folder.path().join("a/b");
        make_folder(&within).unwrap();
        make_folder(&within).unwrap();
        let file = within.join("plan.json");
        write_whole(&file, b"first").unwrap();
        let failed = put_whole(&file, |unfinished| {
            unfinished.write_all(b"half")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert!(copy_whole(&within.join("none"), &file).is_err());
        assert_eq!(fs::read(&file).unwrap(), b"first");
        assert_eq!(fs::read_dir(&within).unwrap().count(), 1, "nothing half written stays");
        copy_whole(&file, &within.join("copy")).unwrap();
        assert_eq!(fs::read(within.join("copy")).unwrap(), b"first");
    }
}
