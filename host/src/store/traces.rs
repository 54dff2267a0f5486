//! The log of plugin calls: a database of its own beside the configuration, written by a thread of its own.
//!
//! Nobody who waits for an answer waits for the log: what does not fit into its queue is dropped and counted. How often calls
//! ended how is counted exactly, whatever becomes of the records. Nothing here stops the service: a file that cannot be used is
//! set aside.

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

/// Records that may wait to be written.
const QUEUE: usize = 1_024;

/// How long a reader waits for what was recorded before.
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

/// What callers and the writer share.
#[derive(Debug)]
struct Shared {
    settings: ArcSwap<TraceSettings>,
    seen: Mutex<Seen>,
    /// Records that were queued and could not be written.
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

    /// Opens the log in `folder`, or begins it.
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

    /// Keeps to the settings of the newest snapshot it is shown.
    pub fn follow(&self, snapshot: &Snapshot) {
        let revision = snapshot.revision().0;
        if self.followed.load(Relaxed) < revision && self.followed.fetch_max(revision, Relaxed) < revision {
            self.shared.settings.store(Arc::new(snapshot.environment().traces.clone()));
        }
    }

    /// Waits until everything that was recorded so far is written. Not forever: whoever reads rather sees less than nothing.
    pub fn settle(&self) {
        if !self.queue.flush(PATIENCE) {
            tracing::warn!("the log of plugin calls is behind");
        }
    }

    /// Up to `limit` records that pass, the newest first, behind `after`. Without what plugins wrote, and without backtraces.
    pub fn list(&self, filter: &TraceFilter, after: Option<TraceId>, limit: usize) -> Result<Vec<CallTrace>, Error> {
        self.settle();
        read::list(&file::look(&self.path)?, filter, after, limit)
    }

    /// One record, whole.
    pub fn one(&self, id: TraceId) -> Result<Option<CallTrace>, Error> {
        self.settle();
        read::one(&file::look(&self.path)?, id)
    }

    /// Exact counts of the calls of `plugin`: since this log was opened, and of the last `hours` whoever made the calls.
    pub fn statistics(&self, plugin: &str, hours: u32) -> Result<Vec<CallStatistics>, Error> {
        self.settle();
        let first = counts::hour(jiff::Timestamp::now()) - i64::from(hours) + 1;
        let written = counts::read(&file::look(&self.path)?, plugin, first)?;
        Ok(self.shared.seen().counts.with_hours(plugin, written))
    }

    /// Exact counts of all calls since this log was opened, by plugin, version and step.
    pub fn totals(&self) -> Vec<CallStatistics> {
        self.shared.seen().counts.totals()
    }

    /// When this log was opened.
    pub fn since(&self) -> jiff::Timestamp {
        self.shared.seen().counts.begun()
    }

    /// Records that were dropped because they came too fast, or could not be written.
    pub fn dropped(&self) -> u64 {
        self.queue.dropped() + self.shared.lost.load(Relaxed)
    }

    /// Records that wait to be written.
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
    /// Counts are whole between any two calls, so a poisoned lock guards as good ones.
    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
