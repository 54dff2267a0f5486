//! The configuration of one environment, in an SQLite database. Only this module names `rusqlite` and writes SQL.
//!
//! One write is one transaction is one revision. The module hands out domain values, never rows. Nothing that matters
//! lives only in memory: a snapshot is made anew as soon as the database has a newer revision, from this process or
//! another.

mod alone;
mod audit;
mod backup;
mod bounds;
mod change;
mod checks;
mod commit;
mod component_kinds;
mod components;
mod draft;
pub mod durable;
mod end;
mod error;
mod finish;
mod foreign;
mod history;
pub mod journal;
mod links;
mod other_names;
mod outbox;
mod overlap;
mod past;
mod people;
mod private;
mod process_identity;
mod recordings;
mod review;
mod rights;
pub mod room;
mod rows;
mod runs;
mod schema;
mod schema_version;
mod secrets;
mod side_database;
mod snapshot;
mod tokens;
mod traces;
mod unlink;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use arc_swap::ArcSwap;
use parking_lot::ReentrantMutex;
use rusqlite::{Connection, OpenFlags};

use crate::domain::Revision;

use past::Patience;

pub use audit::{Audit, AuditFilter};
pub use change::{
    Authority, Change, ChangeSet, Changed, Committed, Displaced, Expect, How, Replaced, Strictness, Tolerated,
};
pub use commit::Preview;
pub use component_kinds::Declared;
pub use components::{Component, ComponentRecord, FailedVersion, KeptManifest, Lost};
pub use error::{Error, MissingReference};
pub use links::{Links, Referrer};
pub use outbox::{EventState, NewEvent, OutboxEvent, Unasked};
pub use people::{PeopleOrder, Person, PersonKey, Ranges, Standing};
pub use process_identity::{is_gone, this_process};
pub use recordings::{FieldCount, KeptRecording, RecordingFilter, RecordingLog, TrialCalls, TrialKey, Tried};
pub use review::review;
pub use runs::{LEASE_SECONDS, Lease, NewRun, Run, RunState, StepRun};
pub use secrets::Secrets;
pub use snapshot::{Entry, Layer, Snapshot};
pub use tokens::{Holder, is_news};
pub use traces::{CallStatistics, HourTally, TraceFilter, TraceLog};
pub use unlink::{Rest, without};

/// Connections for reading that are kept open while they are idle.
const IDLE_READERS: usize = 8;

/// The configuration of one environment, in a data folder.
pub struct Store {
    path: PathBuf,
    writer: Mutex<Connection>,
    /// Is taken before `writer` by every function that writes revisions.
    turn: ReentrantMutex<()>,
    readers: Mutex<Vec<Connection>>,
    newest: ArcSwap<Snapshot>,
    past: past::Past,
    audit: OnceLock<Audit>,
    recordings: OnceLock<RecordingLog>,
    secrets: OnceLock<Arc<Secrets>>,
}

impl Store {
    /// The name of the database within the data folder.
    pub const FILE: &str = "loadout.db";

    /// Opens the database in `folder`; makes both if they do not exist.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let unusable = |source| Error::Folder { path: folder.display().to_string(), source };
        private::make_folder(folder).map_err(unusable)?;
        let path = folder.join(Self::FILE);
        foreign::refuse(&path, schema_version::APPLICATION_ID)?;
        private::make(&path).map_err(unusable)?;
        let mut writer = Connection::open(&path)?;
        schema::configure(&writer)?;
        schema::migrate(&mut writer, Some(&path))?;
        let newest = rows::load(&writer, rows::newest(&writer)?)?;
        let newest = ArcSwap::from_pointee(newest);
        Ok(Self::over(path, writer, newest))
    }

    /// Opens the database in `folder` read-only. Changes nothing in the folder; whatever would change something is an
    /// error.
    pub fn look(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(Self::FILE);
        let writer = open_to_look(&path)?;
        schema::refuse_older(&writer)?;
        let newest = rows::load(&writer, rows::newest(&writer)?)?;
        let newest = ArcSwap::from_pointee(newest);
        Ok(Self::over(path, writer, newest))
    }

    fn over(path: PathBuf, writer: Connection, newest: ArcSwap<Snapshot>) -> Self {
        Self {
            path,
            writer: Mutex::new(writer),
            turn: ReentrantMutex::default(),
            readers: Mutex::default(),
            newest,
            past: past::Past::default(),
            audit: OnceLock::new(),
            recordings: OnceLock::new(),
            secrets: OnceLock::new(),
        }
    }

    /// Returns the folder the database is in.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }

    /// Returns the number of the newest revision in the database, from this process or another.
    pub fn newest(&self) -> Result<Revision, Error> {
        self.read(rows::newest)
    }

    /// Returns the newest revision that this process has seen, without asking the database.
    pub fn newest_known(&self) -> Revision {
        self.newest.load().revision()
    }

    /// Returns the library at the newest revision.
    pub fn snapshot(&self) -> Result<Arc<Snapshot>, Error> {
        self.library(self.newest()?)
    }

    /// Returns the library at `newest`. It is kept in memory, and made anew if another process wrote that revision.
    fn library(&self, newest: Revision) -> Result<Arc<Snapshot>, Error> {
        let known = self.newest.load_full();
        if known.revision() == newest {
            return Ok(known);
        }
        let fresh = Arc::new(self.read(|connection| rows::load_over(connection, newest, &known))?);
        self.publish(&fresh);
        Ok(fresh)
    }

    /// Returns the library at any revision up to the newest. The last few libraries are kept. Few are loaded at once;
    /// the caller waits for its turn.
    pub fn snapshot_at(&self, revision: Revision) -> Result<Arc<Snapshot>, Error> {
        self.snapshot_in(revision, Patience::Waits)
    }

    /// As [`Store::snapshot_at`], for a caller that can repeat its request. Refuses if too many callers wait already.
    pub fn past_snapshot(&self, revision: Revision) -> Result<Arc<Snapshot>, Error> {
        self.snapshot_in(revision, Patience::ComesAgain)
    }

    fn snapshot_in(&self, revision: Revision, patience: Patience) -> Result<Arc<Snapshot>, Error> {
        let newest = self.snapshot()?;
        if revision == newest.revision() {
            return Ok(newest);
        }
        if revision > newest.revision() {
            return Err(Error::NoSuchRevision { asked: revision, newest: newest.revision() });
        }
        self.past.at(revision, patience, || self.read(|connection| rows::load_over(connection, revision, &newest)))
    }

    /// Makes `fresh` the newest snapshot, unless a newer one is there already.
    fn publish(&self, fresh: &Arc<Snapshot>) {
        self.newest
            .rcu(|known| if known.revision() < fresh.revision() { Arc::clone(fresh) } else { Arc::clone(known) });
    }

    /// Runs `work` on a connection that only reads.
    fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Error>) -> Result<T, Error> {
        let idle = lock(&self.readers).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => {
                let connection = open_to_look(&self.path)?;
                schema::configure(&connection)?;
                connection
            }
        };
        let answer = work(&connection);
        let mut idle = lock(&self.readers);
        if idle.len() < IDLE_READERS {
            idle.push(connection);
        }
        answer
    }
}

fn open_to_look(path: &Path) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    Ok(Connection::open_with_flags(path, flags)?)
}

/// Locks, also after a panic: a query that panics rolls back while it unwinds, so the guarded value is consistent.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
