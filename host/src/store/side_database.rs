//! Side databases: each is a file of its own beside the configuration, readable for its owner alone. A file without the
//! expected mark is refused and left as it is.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};

use super::{Error, foreign, private};

/// A kind of database.
pub(super) struct SideDatabase {
    /// Marks the file, in SQLite's `application_id`.
    pub(super) id: i32,
    /// The tables of schema version 1. The version is in SQLite's `user_version`.
    pub(super) tables: &'static str,
    /// The migrations since, one for each later schema version.
    pub(super) since: &'static [&'static str],
    /// SQLite's `journal_mode` and `synchronous`. A database that cannot be rebuilt has `FULL`: on disk before it is
    /// acknowledged.
    pub(super) written: (&'static str, &'static str),
    /// Whether deleted content is overwritten.
    pub(super) private: bool,
}

impl SideDatabase {
    /// Opens the database, or makes it.
    pub(super) fn open(&self, file: &Path) -> Result<Connection, Error> {
        self.make(file).map_err(|error| error.in_folder(file.parent().unwrap_or(Path::new("."))))
    }

    fn make(&self, file: &Path) -> Result<Connection, Error> {
        foreign::refuse(file, self.id)?;
        private::make(file).map_err(|source| Error::Folder { path: file.display().to_string(), source })?;
        let mut connection = Connection::open(file)?;
        connection.busy_timeout(Duration::from_secs(10))?;
        connection.pragma_update(None, "secure_delete", self.private)?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let tables: u32 = transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        let id: i32 = transaction.pragma_query_value(None, "application_id", |row| row.get(0))?;
        let shape: usize = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let (is_new, newest) = (tables == 0, self.since.len() + 1);
        if is_new {
            transaction.execute_batch(self.tables)?;
            transaction.pragma_update(None, "application_id", self.id)?;
        } else if id != self.id {
            return Err(Error::NotOurs);
        } else if shape > newest {
            return Err(Error::Newer { found: shape, known: newest });
        }
        let applied = if is_new { 0 } else { shape.saturating_sub(1) };
        for change in self.since.iter().skip(applied) {
            transaction.execute_batch(change)?;
        }
        if shape != newest {
            transaction.pragma_update(None, "user_version", newest)?;
        }
        transaction.commit()?;
        let (journal, synchronous) = self.written;
        connection.pragma_update(None, "journal_mode", journal)?;
        connection.pragma_update(None, "synchronous", synchronous)?;
        connection.pragma_update(None, "fullfsync", synchronous == "FULL")?;
        Ok(connection)
    }
}
