//! Files that are still there after a power cut.
//!
//! A file is on disk when its content is and when its folder knows its name. Both are told to the disk here, and nothing else is done.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Makes `folder` and the folders it lies in, for their owner alone. Their names are on disk when it returns.
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
        // Another process was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        Err(error) => Err(error),
        Ok(()) => sync_folder(parent.unwrap_or(Path::new("."))),
    }
}

/// Brings the names within `folder` to disk.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    // Other systems do not let a folder be opened, and need not be told.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Gives a file that is on disk another name in the same folder. The name is on disk when it returns.
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

/// What is half written lies under another name, and is gone if the writing fails.
fn put_whole(file: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let unfinished = unfinished(file);
    let put = || {
        let mut open = File::create(&unfinished)?;
        write(&mut open)?;
        open.sync_all()?;
        rename(&unfinished, file)
    };
    put().inspect_err(|_| {
        // The failure that is told matters more than a rest that stays.
        let _ = fs::remove_file(&unfinished);
    })
}

/// The name of a file while it is written, told apart from every other.
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
