//! Refuses databases of another program before a byte of them is changed.
//!
//! Opening a database for writing may change it, because SQLite then completes what its own program left half done. So
//! this module reads the beginning of the file first, and then opens the database read-only.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use super::{Error, open_to_look};

/// The first bytes of every SQLite database.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// The offset of the `application_id` in those bytes.
const ID_AT: usize = 68;
/// The number of bytes that are read.
const BEGINNING: u64 = 100;

/// Refuses the file at `path` unless it is a database marked with `id`, is empty, or does not exist.
pub(super) fn refuse(path: &Path, id: i32) -> Result<(), Error> {
    let unusable = |source| Error::Folder { path: path.display().to_string(), source };
    let mut beginning = Vec::new();
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened.map_err(unusable)?.take(BEGINNING).read_to_end(&mut beginning).map_err(unusable)?,
    };
    if beginning.is_empty() {
        return Ok(());
    }
    let marked = beginning.get(ID_AT..ID_AT + 4).map(|bytes| bytes.try_into().map_or(0, i32::from_be_bytes));
    match marked.filter(|_| beginning.starts_with(MAGIC)) {
        Some(marked) if marked == id => return Ok(()),
        // If another process is making the database now, or was killed in its first second, only the write-ahead log
        // has the mark.
        Some(0) => {}
        _ => return Err(Error::NotOurs),
    }
    let look = open_to_look(path)?;
    look.busy_timeout(Duration::from_secs(10))?;
    let marked: i32 = look.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: u32 = look.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if marked == id || tables == 0 { Ok(()) } else { Err(Error::NotOurs) }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rusqlite::Connection;

    use super::super::{Audit, Store};
    use super::*;

    /// Returns the files of `folder` with their content.
    fn bytes(folder: &Path, of: &str) -> Vec<(String, Vec<u8>)> {
        let mut files: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
            // The shared memory is no part of the database.
            .filter(|(name, _)| name.starts_with(of) && !name.ends_with("-shm"))
            .collect();
        files.sort();
        files
    }

    #[test]
    fn a_foreign_database_is_refused_and_not_one_byte_of_it_is_changed() {
        for (journal, marked) in [("DELETE", 0), ("DELETE", 7), ("WAL", 0), ("WAL", 7)] {
            let made = tempfile::tempdir().unwrap();
            let file = made.path().join(Store::FILE);
            let other = Connection::open(&file).unwrap();
            other.pragma_update(None, "journal_mode", journal).unwrap();
            other.pragma_update(None, "application_id", marked).unwrap();
            other.execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES ('theirs')").unwrap();
            // The state in which a killed program leaves the database: some content is in the write-ahead log only.
            let folder = tempfile::tempdir().unwrap();
            for entry in fs::read_dir(made.path()).unwrap().map(|entry| entry.unwrap()) {
                fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
            }
            drop(other);
            let before = bytes(folder.path(), Store::FILE);
            assert_eq!(before.len(), if journal == "WAL" { 2 } else { 1 });
            assert!(matches!(Store::open(folder.path()), Err(Error::NotOurs)), "{journal} {marked}");
            assert!(bytes(folder.path(), Store::FILE) == before, "{journal} {marked} was changed");
        }
    }

    #[test]
    fn what_is_no_database_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        for name in [Store::FILE, Audit::FILE] {
            fs::write(folder.path().join(name), "my shopping list").unwrap();
        }
        assert!(matches!(Store::open(folder.path()), Err(Error::NotOurs)));
        fs::remove_file(folder.path().join(Store::FILE)).unwrap();
        assert!(matches!(Store::open(folder.path()).unwrap().audit(), Err(Error::NotOurs)));
        assert_eq!(fs::read(folder.path().join(Audit::FILE)).unwrap(), b"my shopping list");
    }

    #[test]
    fn a_database_that_was_killed_in_its_first_second_is_ours() {
        let made = tempfile::tempdir().unwrap();
        let file = made.path().join(Store::FILE);
        let mut first = Connection::open(&file).unwrap();
        super::super::schema::migrate(&mut first, Some(&file)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(made.path()).unwrap().map(|entry| entry.unwrap()) {
            fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
        }
        Store::open(folder.path()).unwrap();
    }
}
