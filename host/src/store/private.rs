//! Restricts files to their owner: the data folder and everything that this program keeps in it.
//!
//! Does not follow links, and leaves files of other programs alone. A folder whose permissions cannot be changed is
//! used all the same, and the log says so.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;

use super::durable;

/// The beginnings of the names of files and folders that this program makes in a data folder.
#[cfg(unix)]
const OURS: &[&str] =
    &[".upgrade-", "admin.", "audit", "cache", "loadout", "recordings", "secrets", "traces", "upgrades"];

/// Makes a file that only its owner may read and write, if it does not exist. The files that SQLite puts beside it get
/// its mode.
pub(super) fn make(file: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
        options.mode(0o600).open(file)?.set_permissions(std::fs::Permissions::from_mode(0o600))
    }
    #[cfg(not(unix))]
    options.open(file).map(drop)
}

/// Makes the data folder, if it does not exist, and removes the permissions of other users that an older program left
/// in it.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    durable::make_folder(folder)?;
    #[cfg(unix)]
    match unix::tighten_all(folder) {
        Ok(0) => {}
        Ok(tightened) => tracing::warn!(
            folder = %folder.display(),
            tightened,
            "others could read the data folder: from now on only its owner can"
        ),
        Err(error) => tracing::error!(
            folder = %folder.display(),
            %error,
            "others may be able to read the data folder: its modes cannot be changed"
        ),
    }
    Ok(())
}

#[cfg(unix)]
mod unix {
    use std::fs::{self, Permissions};
    use std::io::{self, ErrorKind};
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use super::OURS;

    /// Tightens the permissions of the folder and of our files in it. Returns how many files and folders were open to
    /// others.
    pub(super) fn tighten_all(folder: &Path) -> io::Result<usize> {
        let mut tightened = usize::from(tighten(folder)?);
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            if OURS.iter().any(|ours| name.to_string_lossy().starts_with(ours)) {
                tightened += below(&entry.path())?;
            }
        }
        Ok(tightened)
    }

    fn below(path: &Path) -> io::Result<usize> {
        let mut tightened = match tighten(path) {
            Ok(tightened) => usize::from(tightened),
            // Another process deleted it meanwhile.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(error),
        };
        if fs::symlink_metadata(path).is_ok_and(|it| it.is_dir()) {
            for entry in fs::read_dir(path)? {
                tightened += below(&entry?.path())?;
            }
        }
        Ok(tightened)
    }

    fn tighten(path: &Path) -> io::Result<bool> {
        let there = fs::symlink_metadata(path)?;
        let mode = there.permissions().mode();
        if there.is_symlink() || mode & 0o077 == 0 {
            return Ok(false);
        }
        fs::set_permissions(path, Permissions::from_mode(mode & 0o700))?;
        Ok(true)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn what_is_ours_is_tightened_and_nothing_else() {
            let folder = tempfile::tempdir().unwrap();
            let path = |name: &str| folder.path().join(name);
            fs::create_dir_all(path("upgrades/1")).unwrap();
            for name in ["loadout.db", "upgrades/1/plan.json", "notes.txt"] {
                fs::write(path(name), "").unwrap();
            }
            let elsewhere = tempfile::NamedTempFile::new().unwrap();
            std::os::unix::fs::symlink(elsewhere.path(), path("cache")).unwrap();
            let all = ["", "upgrades", "upgrades/1", "loadout.db", "upgrades/1/plan.json", "notes.txt"];
            for name in all {
                let mode = if path(name).is_dir() { 0o755 } else { 0o644 };
                fs::set_permissions(path(name), Permissions::from_mode(mode)).unwrap();
            }
            fs::set_permissions(elsewhere.path(), Permissions::from_mode(0o644)).unwrap();
            assert_eq!(tighten_all(folder.path()).unwrap(), 5);
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(all.map(|name| mode(&path(name))), [0o700, 0o700, 0o700, 0o600, 0o600, 0o644]);
            assert_eq!(mode(elsewhere.path()), 0o644, "no link is followed");
            assert_eq!(tighten_all(folder.path()).unwrap(), 0);
        }
    }
}
