//! The file of the log. A file that is damaged, newer or of another program is set aside: the service starts without
//! it.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use super::super::{Error, foreign, private};

/// Marks the file as a log of calls, in SQLite's `application_id`.
const APPLICATION_ID: i32 = 0x4c6f_5472; // "LoTr"

/// The schema version this program writes.
const SHAPE: usize = 1;

/// The most bytes of the write-ahead log that stay when it is not needed.
const WAL_KEPT: u32 = 4 << 20;

/// Opens the log at `path`, or creates it. Sets a file aside that cannot be used.
pub(super) fn open(path: &Path) -> Result<Connection, Error> {
    match try_open(path) {
        Err(error) if is_unusable(&error) => {
            set_aside(path, &error)?;
            try_open(path)
        }
        opened => opened,
    }
}

/// Opens the log read-only.
pub(super) fn look(path: &Path) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    Ok(connection)
}

/// Returns whether the error is about this file, so that a new one would help.
pub(super) fn is_unusable(error: &Error) -> bool {
    match error {
        Error::NotOurs | Error::Newer { .. } => true,
        Error::Database(error) => {
            matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
        }
        _ => false,
    }
}

/// Moves a file that cannot be used, with its write-ahead log and shared memory, to another name.
pub(super) fn set_aside(path: &Path, because: &Error) -> Result<(), Error> {
    let seconds = jiff::Timestamp::now().as_second();
    let aside = path.with_file_name(format!("traces-set-aside-{seconds}.db"));
    let unusable = |source| Error::Folder { path: path.display().to_string(), source };
    for suffix in ["", "-wal", "-shm"] {
        match fs::rename(with_suffix(path, suffix), with_suffix(&aside, suffix)) {
            // Not every database has all three files, and another process may have moved them first.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            moved => moved.map_err(unusable)?,
        }
    }
    tracing::warn!(error = %because, aside = %aside.display(), "the log of plugin calls cannot be used and begins anew");
    Ok(())
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

fn try_open(path: &Path) -> Result<Connection, Error> {
    foreign::refuse(path, APPLICATION_ID)?;
    private::make(path).map_err(|source| Error::Folder { path: path.display().to_string(), source })?;
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    // Takes effect only while there is no table yet.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // The log may lose its newest records in a power cut; the file stays intact.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "journal_size_limit", WAL_KEPT)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let id: i32 = transaction.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let found: usize = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: u32 = transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (id, found) {
        (APPLICATION_ID, SHAPE) => {}
        (APPLICATION_ID, _) => return Err(Error::Newer { found, known: SHAPE }),
        _ if tables > 0 => return Err(Error::NotOurs),
        _ => {
            transaction.execute_batch(include_str!("traces.sql"))?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.pragma_update(None, "user_version", SHAPE)?;
        }
    }
    transaction.commit()?;
    Ok(connection)
}
