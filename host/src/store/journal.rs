//! The journal of one run of an upgrade: every row that was read with its outcome, the proposals of steps, and the
//! items made of them. It is a database of its own, so the configuration is untouched until the end.
//!
//! The journal is written in pieces, each whole or not at all and each with the position reached, so a run that was
//! killed goes on where its last piece ended. Refuses every writer but the newest holder of the run's lease.

mod account;
mod graph;
mod items;
mod proposals;

pub use account::{Account, Accounted, Note, Outcome, Tally};
pub use graph::Edge;
pub use items::StagedItem;
pub use proposals::Proposal;

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::{Error, foreign, private, room};

/// Marks the file as a journal, in SQLite's `application_id`.
const APPLICATION_ID: i32 = 0x4c6f_4a6e; // "LoJn"

/// The largest journal, in bytes. It grows with the rows that are read, whatever size the header of an archive claims.
const BYTES_MAX: u64 = 8 << 30;

/// The journal of one run.
pub struct Journal {
    connection: Connection,
    folder: PathBuf,
    run: u64,
    token: u64,
}

/// A piece of the journal while it is written.
pub struct Piece<'a>(&'a Transaction<'a>);

/// How far a run has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The phase of the current step.
    pub phase: Phase,
    /// The current step, counted in the order in which steps run.
    pub step: usize,
    /// The progress within the phase: records read, or the last row that was migrated.
    pub cursor: u64,
}

/// A phase of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = UpgradePhase)]
pub enum Phase {
    /// Rows are read.
    Reading,
    /// A step checks its pages.
    Checking,
    /// A step migrates its pages.
    Migrating,
    /// The proposals of a step become items.
    Settling,
    /// All steps are done.
    Ready,
}

impl Phase {
    /// Returns the name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::Checking => "checking",
            Self::Migrating => "migrating",
            Self::Settling => "settling",
            Self::Ready => "ready",
        }
    }

    fn parse(text: &str) -> Result<Self, Error> {
        let all = [Self::Reading, Self::Checking, Self::Migrating, Self::Settling, Self::Ready];
        let unknown = || Error::Corrupt(format!("`{text}` is no phase of an upgrade").into());
        all.into_iter().find(|phase| phase.as_str() == text).ok_or_else(unknown)
    }
}

impl Journal {
    /// Opens the journal of `run` at `file`, or creates it, for the holder of the lease with `token`. From then on a
    /// holder of an older token cannot write.
    pub fn open(file: &Path, run: u64, token: u64) -> Result<Self, Error> {
        Self::begin(file, run, token, "FULL")
    }

    /// Creates a journal at `file` that is only used to make a plan and is then removed. It need not survive a power
    /// cut.
    pub fn scratch(file: &Path) -> Result<Self, Error> {
        Self::begin(file, 0, 0, "OFF")
    }

    fn begin(file: &Path, run: u64, token: u64, synchronous: &str) -> Result<Self, Error> {
        foreign::refuse(file, APPLICATION_ID)?;
        private::make(file).map_err(|source| Error::Folder { path: file.display().to_string(), source })?;
        let mut connection = Connection::open(file)?;
        connection.busy_timeout(std::time::Duration::from_secs(10))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", synchronous)?;
        connection.pragma_update(None, "fullfsync", synchronous == "FULL")?;
        // A page needs little at once; the rest may wait on disk.
        connection.pragma_update(None, "cache_size", -4_000)?;
        connection.set_prepared_statement_cache_capacity(64);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let known: i32 = transaction.pragma_query_value(None, "application_id", |row| row.get(0))?;
        if known != APPLICATION_ID {
            transaction.execute_batch(include_str!("journal.sql"))?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        }
        let newest: u64 = transaction.query_row("SELECT token FROM state", [], |row| row.get(0))?;
        if token < newest {
            return Err(Error::LeaseLost { run });
        }
        transaction.execute("UPDATE state SET token = ?1", [token])?;
        transaction.commit()?;
        Ok(Self { connection, folder: folder_of(file), run, token })
    }

    /// Opens the journal at `file` read-only. `None` if there is none.
    pub fn look(file: &Path) -> Result<Option<Self>, Error> {
        if !file.exists() {
            return Ok(None);
        }
        let connection = Connection::open(file)?;
        connection.busy_timeout(std::time::Duration::from_secs(10))?;
        connection.pragma_update(None, "query_only", true)?;
        let known: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
        Ok((known == APPLICATION_ID).then_some(Self { connection, folder: folder_of(file), run: 0, token: 0 }))
    }

    /// Returns the position of the run.
    pub fn position(&self) -> Result<Position, Error> {
        let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?));
        let (phase, step, cursor) = self.connection.query_row("SELECT phase, step, cursor FROM state", [], read)?;
        Ok(Position { phase: Phase::parse(&phase)?, step, cursor })
    }

    /// Writes one piece, whole or, if `work` fails, not at all. Refuses if the disk has little room left, or the
    /// journal has reached its largest size.
    pub fn write<T, E: From<Error>>(&mut self, work: impl FnOnce(&Piece<'_>) -> Result<T, E>) -> Result<T, E> {
        self.check_room(BYTES_MAX)?;
        let begun = self.connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let transaction = begun.map_err(Error::from)?;
        let newest = transaction.query_row("SELECT token FROM state", [], |row| row.get::<_, u64>(0));
        if newest.map_err(Error::from)? != self.token {
            return Err(Error::LeaseLost { run: self.run }.into());
        }
        let done = work(&Piece(&transaction))?;
        transaction.commit().map_err(Error::from)?;
        Ok(done)
    }
}

impl Journal {
    fn check_room(&self, max: u64) -> Result<(), Error> {
        room::check(&self.folder, 0)?;
        let pragma = |name| self.connection.pragma_query_value(None, name, |row| row.get::<_, u64>(0));
        let size = pragma("page_count")?.saturating_mul(pragma("page_size")?);
        if size > max { Err(Error::JournalTooLarge { max }) } else { Ok(()) }
    }
}

fn folder_of(file: &Path) -> PathBuf {
    file.parent().map_or_else(PathBuf::new, Path::to_owned)
}

impl Piece<'_> {
    /// Sets the position of the run once this piece is written.
    pub fn move_to(&self, position: Position) -> Result<(), Error> {
        let Position { phase, step, cursor } = position;
        let set = "UPDATE state SET phase = ?1, step = ?2, cursor = ?3";
        self.0.prepare_cached(set)?.execute(params![phase.as_str(), step, cursor])?;
        Ok(())
    }
}

/// Returns the result of a query that has at most one row.
fn one<T>(
    connection: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
    read: impl FnOnce(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> Result<Option<T>, Error> {
    Ok(connection.prepare_cached(sql)?.query_row(parameters, read).optional()?)
}

fn corrupt(error: serde_json::Error) -> Error {
    Error::Corrupt(error.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_ends_where_it_is_larger_than_it_may_be_and_waits_for_the_disk_if_it_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(&folder.path().join("journal.db"), 1, 1).unwrap();
        journal.check_room(BYTES_MAX).unwrap();
        let refused = journal.check_room(1).unwrap_err().to_string();
        assert!(refused.starts_with("the journal of the upgrade is larger than 1 bytes"), "{refused}");
        let synchronous = |journal: &Journal| -> u32 {
            journal.connection.pragma_query_value(None, "synchronous", |row| row.get(0)).unwrap()
        };
        let scratch = Journal::scratch(&folder.path().join("scratch.db")).unwrap();
        assert_eq!((synchronous(&journal), synchronous(&scratch)), (2, 0));
    }
}
