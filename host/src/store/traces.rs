//! The log of plugin calls: a database of its own beside the configuration, written by a thread of its own.
//!
//! No caller of a plugin waits for the log: a record that does not fit into the queue is dropped and counted. The
//! outcomes of calls are counted exactly, even when records are dropped. Nothing here stops the service: a file that
//! cannot be used is set aside.

mod counts;
mod file;
mod queue;
mod read;
mod retention;
mod sampling;
mod writer;

pub use counts::{CallStatistics, HourTally};
pub use read::TraceFilter;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use arc_swap::ArcSwap;

use crate::domain::TraceSettings;
use crate::domain::trace::{CallTrace, LogText, TextLevel, TraceId, Watch};

use super::{Error, Snapshot};

use counts::Counts;
use queue::Queue;
use sampling::Sampler;
use writer::Writer;

/// The most records that wait to be written.
const QUEUE: usize = 1_024;

/// How long a reader waits until the records before are written.
const PATIENCE: Duration = Duration::from_secs(1);

/// The log of plugin calls in a data folder.
#[derive(Debug)]
pub struct TraceLog {
    path: PathBuf,
    queue: Queue,
    shared: Arc<Shared>,
    followed: AtomicU64,
    writer: Option<JoinHandle<()>>,
}

/// The state that the callers and the writer share.
#[derive(Debug)]
struct Shared {
    settings: ArcSwap<TraceSettings>,
    seen: Mutex<Seen>,
    /// The number of records that were queued and could not be written.
    lost: AtomicU64,
}

#[derive(Debug)]
struct Seen {
    counts: Counts,
    sampler: Sampler,
}

impl TraceLog {
    /// The name of the database within the data folder.
    pub const FILE: &str = "traces.db";

    /// Opens the log in `folder`, or creates it.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let unusable = |source| Error::Folder { path: folder.display().to_string(), source };
        std::fs::create_dir_all(folder).map_err(unusable)?;
        let path = folder.join(Self::FILE);
        let connection = file::open(&path)?;
        let shared = Arc::new(Shared {
            settings: ArcSwap::default(),
            seen: Mutex::new(Seen { counts: Counts::since(jiff::Timestamp::now()), sampler: Sampler::default() }),
            lost: AtomicU64::new(0),
        });
        let (queue, incoming) = Queue::new(QUEUE);
        let writer = Writer::new(path.clone(), connection, Arc::clone(&shared));
        let spawned = thread::Builder::new().name("trace-log".to_owned()).spawn(move || writer.run(&incoming));
        let writer = Some(spawned.map_err(unusable)?);
        Ok(Self { path, queue, shared, followed: AtomicU64::new(0), writer })
    }

    /// Takes over the settings of `snapshot`, if it is newer than the last one.
    pub fn follow(&self, snapshot: &Snapshot) {
        let revision = snapshot.revision().0;
        if self.followed.load(Relaxed) < revision && self.followed.fetch_max(revision, Relaxed) < revision {
            self.shared.settings.store(Arc::new(snapshot.environment().traces.clone()));
        }
    }

    /// Waits until everything recorded so far is written. Gives up after `PATIENCE`: a reader would rather see an
    /// incomplete list than wait longer.
    pub fn settle(&self) {
        if !self.queue.flush(PATIENCE) {
            tracing::warn!("the log of plugin calls is behind");
        }
    }

    /// Returns up to `limit` records that match the filter and are older than `after`, the newest first. Leaves out the
    /// texts that plugins wrote, and backtraces.
    pub fn list(&self, filter: &TraceFilter, after: Option<TraceId>, limit: usize) -> Result<Vec<CallTrace>, Error> {
        self.settle();
        read::list(&file::look(&self.path)?, filter, after, limit)
    }

    /// Returns one record, with its texts and its backtrace.
    pub fn one(&self, id: TraceId) -> Result<Option<CallTrace>, Error> {
        self.settle();
        read::one(&file::look(&self.path)?, id)
    }

    /// Returns exact counts of the calls of `plugin`: of this process since the log was opened, and of all processes in
    /// the last `hours`.
    pub fn statistics(&self, plugin: &str, hours: u32) -> Result<Vec<CallStatistics>, Error> {
        self.settle();
        let first = counts::hour(jiff::Timestamp::now()) - i64::from(hours) + 1;
        let written = counts::read(&file::look(&self.path)?, plugin, first)?;
        Ok(self.shared.seen().counts.with_hours(plugin, written))
    }

    /// Returns exact counts of all calls of this process since the log was opened, by plugin, version and step.
    pub fn totals(&self) -> Vec<CallStatistics> {
        self.shared.seen().counts.totals()
    }

    /// When this log was opened.
    pub fn since(&self) -> jiff::Timestamp {
        self.shared.seen().counts.begun()
    }

    /// Returns the number of records that were dropped because the queue was full, or that could not be written.
    pub fn dropped(&self) -> u64 {
        self.queue.dropped() + self.shared.lost.load(Relaxed)
    }

    /// Returns the number of records that wait to be written.
    pub fn queued(&self) -> usize {
        self.queue.len()
    }
}

impl Watch for TraceLog {
    fn saw(&self, mut trace: CallTrace) -> bool {
        let settings = self.shared.settings.load();
        let weight = {
            let mut seen = self.shared.seen();
            seen.counts.add(&trace);
            if trace.outcome.is_success() {
                seen.sampler.weight(&trace.component, trace.at, settings.successes_per_second)
            } else {
                Some(1)
            }
        };
        let Some(weight) = weight else { return false };
        trace.stands_for = weight;
        let keeps_text = match settings.level(&trace.component.plugin) {
            TextLevel::Off => false,
            TextLevel::Faults => !trace.outcome.is_success(),
            TextLevel::All => true,
        };
        if !keeps_text {
            trace.text = LogText::default();
        }
        self.queue.offer(trace)
    }
}

impl Drop for TraceLog {
    fn drop(&mut self) {
        self.queue.close();
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("the writer of the log of plugin calls broke off");
        }
    }
}

impl Shared {
    /// Locks the counts, also after a panic: they are consistent between any two calls.
    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
