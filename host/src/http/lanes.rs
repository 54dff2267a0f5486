//! Threads for work that blocks: how many requests are worked on at once, and how many may wait for it.
//!
//! Each lane has threads of its own. What is short never waits for what takes long, and what all others depend on,
//! such as finding out who calls, waits in no lane. Where too many wait already, a request is refused at once and told when to come again. A request that is given up
//! while it waits leaves the queue, and nothing of it is done.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use axum::http::StatusCode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::load_metrics::LoadMetrics;
use super::problem::Refusal;

/// Seconds after which a refused request may come again.
const COME_AGAIN: u32 = 1;

/// How wide a lane is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneLimits {
    /// Most requests that are worked on at once.
    pub threads: usize,
    /// Most requests that wait for one of the threads.
    pub waiting: usize,
}

/// How wide each lane is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work {
    /// Questions and changes.
    pub usual: LaneLimits,
    /// Imports, plans of upgrades, installing and comparing plugins: what may take minutes.
    pub long: LaneLimits,
    /// What is made of large bodies.
    pub bodies: LaneLimits,
}

impl Default for Work {
    fn default() -> Self {
        Self {
            usual: LaneLimits { threads: 64, waiting: 256 },
            long: LaneLimits { threads: 4, waiting: 32 },
            bodies: LaneLimits { threads: 4, waiting: 256 },
        }
    }
}

impl Work {
    /// What the server does between requests and for all of them: look-ups, the outbox, recordings, the audit, upgrades that go on.
    const BESIDE: usize = 20;

    /// How many threads that takes, so that what was let into a lane never waits for another lane.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.usual.threads + self.long.threads + self.bodies.threads + Self::BESIDE
    }
}

/// The lanes of one server.
#[derive(Clone)]
pub(super) struct Lanes {
    pub(super) usual: Lane,
    pub(super) long: Lane,
    pub(super) bodies: Lane,
}

impl Lanes {
    /// Lanes as wide as `work` says, which count in `metrics`.
    pub(super) fn new(work: &Work, metrics: &LoadMetrics) -> Self {
        Self {
            usual: Lane::new("usual", work.usual, metrics),
            long: Lane::new("long", work.long, metrics),
            bodies: Lane::new("bodies", work.bodies, metrics),
        }
    }
}

/// Threads for one kind of work. A copy is the same lane.
#[derive(Clone)]
pub(super) struct Lane {
    threads: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    waiting: Gauge<i64, AtomicI64>,
    refused: Counter,
    dropped: Counter,
}

/// The right to use a thread until it is dropped.
pub(super) struct Turn {
    _thread: OwnedSemaphorePermit,
    dropped: Counter,
}

impl Turn {
    /// Notes that the request was given up before its work began.
    pub(super) fn unused(&self) {
        self.dropped.inc();
    }
}

/// One request that waits. Dropped early, it was given up.
struct Waiting<'a> {
    lane: &'a Lane,
    is_over: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.lane.waiting.dec();
        if !self.is_over {
            self.lane.dropped.inc();
        }
    }
}

impl Lane {
    fn new(name: &'static str, limits: LaneLimits, metrics: &LoadMetrics) -> Self {
        Self {
            threads: Arc::new(Semaphore::new(limits.threads)),
            queue: Arc::new(Semaphore::new(limits.waiting)),
            waiting: metrics.waiting(name),
            refused: metrics.work_refused(name),
            dropped: metrics.dropped(name),
        }
    }

    /// Waits for a thread, behind those who came before. Refuses where too many wait.
    pub(super) async fn turn(&self) -> Result<Turn, Refusal> {
        let turn = |thread| Turn { _thread: thread, dropped: self.dropped.clone() };
        if let Ok(thread) = Arc::clone(&self.threads).try_acquire_owned() {
            return Ok(turn(thread));
        }
        let Ok(_place) = self.queue.try_acquire() else {
            self.refused.inc();
            return Err(busy());
        };
        self.waiting.inc();
        let mut waiting = Waiting { lane: self, is_over: false };
        let thread = Arc::clone(&self.threads).acquire_owned().await;
        waiting.is_over = true;
        // The semaphore is never closed.
        thread.map(turn).map_err(|_| Refusal::internal())
    }
}

/// What a request is told that found too many before it.
fn busy() -> Refusal {
    let detail = "too many requests wait already, and nothing of this one was done: send it again after the seconds of `Retry-After`";
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "server.busy", detail).retry_after(COME_AGAIN)
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    fn lane() -> Lane {
        Lane::new("usual", LaneLimits { threads: 1, waiting: 1 }, &LoadMetrics::default())
    }

    #[test]
    fn one_works_one_waits_and_the_third_is_refused() {
        let (lane, mut context) = (lane(), Context::from_waker(Waker::noop()));
        let poll = |turn: std::pin::Pin<&mut dyn Future<Output = Result<Turn, Refusal>>>, context: &mut Context<'_>| {
            turn.poll(context).map(|turn| turn.map_err(|refusal| refusal.status().as_u16()))
        };
        let first = poll(pin!(lane.turn()), &mut context);
        let mut second = pin!(lane.turn());
        assert!(poll(second.as_mut(), &mut context).is_pending());
        assert!(matches!(poll(pin!(lane.turn()), &mut context), std::task::Poll::Ready(Err(503))));
        assert_eq!((lane.waiting.get(), lane.refused.get()), (1, 1));
        drop(first);
        assert!(poll(second.as_mut(), &mut context).is_ready(), "the one that waited is next");
        assert_eq!((lane.waiting.get(), lane.dropped.get()), (0, 0));
    }

    #[test]
    fn a_request_that_is_given_up_leaves_its_place_to_another() {
        let (lane, mut context) = (lane(), Context::from_waker(Waker::noop()));
        let first = lane.threads.try_acquire().unwrap();
        for given_up in 1..=3 {
            assert!(pin!(lane.turn()).poll(&mut context).is_pending());
            assert_eq!((lane.waiting.get(), lane.dropped.get()), (0, given_up));
        }
        drop(first);
        assert_eq!(lane.threads.available_permits(), 1);
    }
}
