//! The thread that writes the log: waiting records in one transaction, counts every second; it also removes old
//! records.
//!
//! It never gives up: records that cannot be written are counted as lost, and the next ones are tried again.

use std::mem;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use serde::{Deserialize, Serialize};

use crate::domain::trace::{CallTrace, LogText};

use super::super::Error;
use super::queue::{Incoming, Work};
use super::{Shared, counts, file, retention};

/// How often counts are written.
const BEAT: Duration = Duration::from_secs(1);

/// How often old records are removed, and after how many written records at the latest.
const TIDYING: Duration = Duration::from_secs(60);
const TIDYING_ROWS: usize = 2_000;

/// The most records of one transaction.
const BATCH: usize = 256;

/// The parts of a record that are read only with a single record.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Detail {
    pub(super) backtrace: Vec<String>,
    pub(super) text: LogText,
}

/// The writer of the log.
pub(super) struct Writer {
    path: PathBuf,
    connection: Connection,
    shared: Arc<Shared>,
    counted: Instant,
    tidied: Instant,
    since_tidying: usize,
    is_failing: bool,
}

impl Writer {
    pub(super) fn new(path: PathBuf, connection: Connection, shared: Arc<Shared>) -> Self {
        let now = Instant::now();
        Self { path, connection, shared, counted: now, tidied: now, since_tidying: 0, is_failing: false }
    }

    /// Writes until the queue is closed.
    pub(super) fn run(mut self, incoming: &Incoming) {
        self.tidy();
        loop {
            let (batch, then) = gather(incoming);
            self.since_tidying += batch.len();
            self.write(&batch);
            match then {
                Work::Flush(told) => self.flush(&told),
                Work::Closed => return self.write_counts(),
                Work::Row(_) | Work::Idle => {}
            }
            if self.counted.elapsed() >= BEAT {
                self.write_counts();
            }
            if self.tidied.elapsed() >= TIDYING || self.since_tidying >= TIDYING_ROWS {
                self.tidy();
            }
        }
    }

    fn flush(&mut self, told: &SyncSender<()>) {
        self.write_counts();
        // The reader may have stopped waiting.
        let _ = told.try_send(());
    }

    fn write(&mut self, batch: &[CallTrace]) {
        if batch.is_empty() {
            return;
        }
        let written = self.attempt(|transaction| batch.iter().try_for_each(|trace| insert(transaction, trace)));
        if !written {
            self.shared.lost.fetch_add(batch.len() as u64, Relaxed);
        }
    }

    fn write_counts(&mut self) {
        self.counted = Instant::now();
        let fresh = self.shared.seen().counts.take();
        if !fresh.is_empty() && !self.attempt(|transaction| counts::write(transaction, &fresh)) {
            self.shared.seen().counts.give_back(fresh);
        }
    }

    fn tidy(&mut self) {
        (self.tidied, self.since_tidying) = (Instant::now(), 0);
        let settings = self.shared.settings.load_full();
        let now = jiff::Timestamp::now();
        if let Err(error) = retention::enforce(&mut self.connection, &settings, now) {
            self.complain(&error);
        }
    }

    /// Does `work` in one transaction, and once more in a new file if this one cannot be used any more. Returns whether
    /// it is done.
    fn attempt(&mut self, work: impl Fn(&Transaction<'_>) -> Result<(), Error>) -> bool {
        let mut done = whole(&mut self.connection, &work);
        if let Err(error) = &done
            && file::is_unusable(error)
        {
            done = file::set_aside(&self.path, error).and_then(|()| file::open(&self.path)).and_then(|fresh| {
                self.connection = fresh;
                whole(&mut self.connection, &work)
            });
        }
        match done {
            Ok(()) => self.is_failing = false,
            Err(error) => {
                self.complain(&error);
                return false;
            }
        }
        true
    }

    /// Warns that the log cannot be written: once, until a write succeeds again.
    fn complain(&mut self, error: &Error) {
        if !mem::replace(&mut self.is_failing, true) {
            tracing::warn!(%error, "the log of plugin calls cannot be written");
        }
    }
}

fn whole(connection: &mut Connection, work: impl Fn(&Transaction<'_>) -> Result<(), Error>) -> Result<(), Error> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    work(&transaction)?;
    Ok(transaction.commit()?)
}

/// Returns the records that wait, up to `BATCH`, and the work behind them.
fn gather(incoming: &Incoming) -> (Vec<CallTrace>, Work) {
    let mut batch = Vec::new();
    let mut next = incoming.next(BEAT);
    while let Work::Row(trace) = next {
        batch.push(*trace);
        next = if batch.len() < BATCH { incoming.at_once() } else { Work::Idle };
    }
    (batch, next)
}

fn insert(transaction: &Transaction<'_>, trace: &CallTrace) -> Result<(), Error> {
    let json = |error: serde_json::Error| Error::Corrupt(error.into());
    let is_long = !trace.backtrace.is_empty() || !trace.text.is_empty();
    let mut short = trace.clone();
    let detail = Detail { backtrace: mem::take(&mut short.backtrace), text: mem::take(&mut short.text) };
    let detail = is_long.then(|| serde_json::to_string(&detail)).transpose().map_err(json)?;
    let body = serde_json::to_string(&short).map_err(json)?;
    let micros = i64::try_from(trace.usage.micros()).unwrap_or(i64::MAX);
    let (request, decision) = (trace.request.as_deref(), trace.decision.as_deref());
    transaction
        .prepare_cached("INSERT OR REPLACE INTO call VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)")?
        .execute(params![
            trace.id.to_string(),
            trace.component.plugin,
            trace.component.version,
            trace.message,
            trace.resource,
            trace.step,
            trace.outcome.as_str(),
            request,
            decision,
            micros,
            body,
            detail
        ])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::Mutex;
    use std::sync::atomic::AtomicU64;

    use super::super::tests::trace;
    use super::super::{Seen, counts::Counts, sampling::Sampler};
    use super::*;

    fn writer(folder: &tempfile::TempDir) -> Writer {
        let path = folder.path().join("traces.db");
        let seen = Seen { counts: Counts::since(jiff::Timestamp::now()), sampler: Sampler::default() };
        let shared = Shared { settings: Default::default(), seen: Mutex::new(seen), lost: AtomicU64::new(0) };
        let connection = file::open(&path).unwrap();
        Writer::new(path, connection, Arc::new(shared))
    }

    fn rows(writer: &Writer) -> u32 {
        writer.connection.query_row("SELECT count(*) FROM call", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_file_that_turns_out_to_be_damaged_is_set_aside_and_the_work_done_in_a_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = writer(&folder);
        writer.write(&[trace(1, "a/b")]);
        let attempts = Cell::new(0);
        let done = writer.attempt(|transaction| {
            attempts.set(attempts.get() + 1);
            if attempts.get() == 1 { Err(Error::NotOurs) } else { insert(transaction, &trace(2, "a/b")) }
        });
        assert_eq!((done, attempts.get(), rows(&writer)), (true, 2, 1), "the new file has what was written last");
        let names = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        assert!(names.into_iter().any(|name| name.to_string_lossy().starts_with("traces-set-aside-")));
    }

    #[test]
    fn what_cannot_be_written_is_counted_and_the_next_is_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = writer(&folder);
        writer.shared.seen().counts.add(&trace(1, "a/b"));
        writer.connection.pragma_update(None, "query_only", true).unwrap();
        writer.write(&[trace(1, "a/b"), trace(2, "a/b")]);
        writer.write_counts();
        assert_eq!((writer.shared.lost.load(Relaxed), rows(&writer)), (2, 0));
        writer.connection.pragma_update(None, "query_only", false).unwrap();
        writer.write(&[trace(3, "a/b")]);
        writer.write_counts();
        assert_eq!((writer.shared.lost.load(Relaxed), rows(&writer)), (2, 1));
        let counted = counts::read(&writer.connection, "a/b", 0).unwrap();
        assert_eq!(counted.len(), 1, "counts wait until they can be written");
    }
}
