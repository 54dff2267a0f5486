//! The copy of a database that is left beside it before its schema version is changed.
//!
//! Its name holds the schema version, the newest revision and the time. So an older copy is neither mistaken for it nor
//! overwritten. The only copy that is deleted here is that of a migration that failed. An administrator decides which
//! other copies may go.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::schema_version::schema_version;
use super::{Error, durable, rows};

/// A copy that was made, or the reason why none was needed.
pub(super) struct Backup(Option<PathBuf>);

/// Copies the database at `file`, which has the schema version `shape`: whole or not at all.
pub(super) fn make(connection: &Connection, file: &Path, shape: usize) -> Result<Backup, Error> {
    let unusable = |source| Error::Folder { path: file.display().to_string(), source };
    let unfinished = file.with_file_name(format!("loadout-shape-{shape}-backup.{}.tmp", std::process::id()));
    let made: Result<Option<PathBuf>, Error> = (|| {
        if unfinished.exists() {
            fs::remove_file(&unfinished).map_err(unusable)?;
        }
        connection.execute("VACUUM INTO ?1", [unfinished.to_string_lossy()])?;
        let copied = Connection::open(&unfinished)?;
        // Another process may have migrated the database in the meantime; then that process made a copy.
        if schema_version(&copied)? != shape {
            return Ok(None);
        }
        let revision = rows::newest(&copied)?;
        drop(copied);
        fs::File::open(&unfinished).and_then(|file| file.sync_all()).map_err(unusable)?;
        let copy = free_name(file, shape, revision.0);
        fs::rename(&unfinished, &copy).map_err(unusable)?;
        durable::sync_folder(file.parent().unwrap_or(Path::new("."))).map_err(unusable)?;
        Ok(Some(copy))
    })();
    if !matches!(made, Ok(Some(_))) {
        // An unfinished or unneeded copy is of no use.
        let _ = fs::remove_file(&unfinished);
    }
    let copy = made?;
    if let Some(copy) = &copy {
        tracing::info!(copy = %copy.display(), "kept a copy of the database before changing its shape");
    }
    Ok(Backup(copy))
}

impl Backup {
    /// Removes the copy: the database still has the old schema version.
    pub(super) fn remove(&self) {
        if let Some(copy) = &self.0
            && let Err(error) = fs::remove_file(copy)
        {
            tracing::warn!(%error, copy = %copy.display(), "a copy of the database that is of no use stays");
        }
    }
}

/// Returns a name that no file in the folder has.
fn free_name(file: &Path, shape: usize, revision: u64) -> PathBuf {
    let time = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let called =
        |more: &str| file.with_file_name(format!("loadout-shape-{shape}-revision-{revision}-{time}{more}-backup.db"));
    let mut names = std::iter::once(called("")).chain((2..).map(|number| called(&format!("-{number}"))));
    // The iterator never ends.
    names.find(|name| !name.exists()).unwrap_or_else(|| called(""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::schema;

    /// Returns the copies in a folder, by name.
    fn copies(folder: &Path) -> Vec<PathBuf> {
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut copies: Vec<_> = files.filter(|path| path.to_string_lossy().contains("backup")).collect();
        copies.sort();
        copies
    }

    fn older(file: &Path, revisions: u64) -> Connection {
        let older = Connection::open(file).unwrap();
        older.execute_batch(schema::tests::FIRST).unwrap();
        for revision in 1..=revisions {
            older.execute("INSERT INTO revision VALUES (?1, '2026-01-01T00:00:00Z', 'a', 'b')", [revision]).unwrap();
        }
        older.pragma_update(None, "application_id", crate::store::schema_version::APPLICATION_ID).unwrap();
        older.pragma_update(None, "user_version", 1).unwrap();
        older
    }

    fn revisions(file: &Path) -> (usize, u64) {
        let copy = Connection::open(file).unwrap();
        (schema_version(&copy).unwrap(), rows::newest(&copy).unwrap().0)
    }

    #[test]
    fn a_copy_is_of_what_is_there_now_however_many_lie_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("loadout.db");
        let mut first = older(&file, 1);
        insta::assert_snapshot!(schema::refuse_older(&first).unwrap_err(), @"the database has shape 1, this program works on shape 9: start `loadout serve` once, which changes it and keeps a copy");
        schema::migrate(&mut first, Some(&file)).unwrap();
        schema::refuse_older(&first).unwrap();
        drop(first);
        let one = copies(folder.path());
        assert_eq!(one.iter().map(|copy| revisions(copy)).collect::<Vec<_>>(), [(1, 1)]);
        // An old copy is restored, work goes on with it, and then the schema is migrated again.
        for wanted in [2, 2] {
            for end in ["", "-wal", "-shm"] {
                let _ = fs::remove_file(folder.path().join(format!("loadout.db{end}")));
            }
            schema::migrate(&mut older(&file, wanted), Some(&file)).unwrap();
        }
        let all: Vec<_> = copies(folder.path()).iter().map(|copy| revisions(copy)).collect();
        assert_eq!(all, [(1, 1), (1, 2), (1, 2)]);
        assert!(one[0].exists());
        let name = one[0].file_name().unwrap().to_string_lossy().into_owned();
        assert!(name.starts_with("loadout-shape-1-revision-1-20") && name.ends_with("Z-backup.db"), "{name}");
    }

    #[test]
    fn a_copy_whose_change_of_shape_failed_goes_and_one_that_was_overtaken_is_not_made() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("loadout.db");
        let mut blocked = older(&file, 3);
        blocked.execute_batch("CREATE TABLE upgrade_run (x)").unwrap();
        schema::migrate(&mut blocked, Some(&file)).unwrap_err();
        assert_eq!((copies(folder.path()), revisions(&file)), (vec![], (1, 3)));
        assert!(make(&blocked, &file, 0).unwrap().0.is_none(), "the database has another shape by now");
        assert!(copies(folder.path()).is_empty());
    }
}
