//! Threads for work that blocks: how many requests are worked on at once, and how many may wait for it.
//!
//! Each lane has threads of its own. Questions never wait for changes, and what mends the server never waits for
//! either; what takes long has a lane, and so has what is made of large bodies. Within a lane callers take turns by
//! name ([`line`]), so that none of them takes it from the others. Where too many wait already, a request is refused at
//! once and told when to come again. A request that is given up while it waits leaves the queue, and nothing of it is
//! done.

mod line;

use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::StatusCode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::oneshot;

use crate::http::problem::Refusal;
use crate::http::telemetry::load_metrics::LoadMetrics;

use line::Line;

/// Seconds after which a refused request may come again.
const COME_AGAIN: u32 = 1;

/// The limits of one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneLimits {
    /// Most requests that are worked on at once.
    pub threads: usize,
    /// Most requests that wait for one of the threads.
    pub waiting: usize,
}

/// The limits of each lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work {
    /// Questions.
    pub usual: LaneLimits,
    /// Changes: one is written at a time, so a few threads are enough.
    pub changes: LaneLimits,
    /// Changes of what plugins, tokens, secrets and people may do.
    pub mends: LaneLimits,
    /// Imports, plans of upgrades, installing and comparing plugins: what may take minutes.
    pub long: LaneLimits,
    /// The parsing of large bodies.
    pub bodies: LaneLimits,
}

impl Default for Work {
    fn default() -> Self {
        Self {
            usual: LaneLimits { threads: 64, waiting: 256 },
            changes: LaneLimits { threads: 8, waiting: 256 },
            mends: LaneLimits { threads: 4, waiting: 64 },
            long: LaneLimits { threads: 4, waiting: 32 },
            bodies: LaneLimits { threads: 4, waiting: 256 },
        }
    }
}

impl Work {
    /// What the server does between requests and for all of them: look-ups, the outbox, recordings, the audit, upgrades
    /// that go on.
    const BESIDE: usize = 20;

    /// How many threads that takes, so that what was let into a lane never waits for another lane.
    #[must_use]
    pub fn threads(&self) -> usize {
        let lanes = [self.usual, self.changes, self.mends, self.long, self.bodies];
        lanes.iter().map(|lane| lane.threads).sum::<usize>() + Self::BESIDE
    }
}

/// The lanes of one server.
#[derive(Clone)]
pub(in crate::http) struct Lanes {
    pub(in crate::http) usual: Lane,
    pub(in crate::http) changes: Lane,
    pub(in crate::http) mends: Lane,
    pub(in crate::http) long: Lane,
    pub(in crate::http) bodies: Lane,
}

impl Lanes {
    /// Lanes as wide as `work` says, which count in `metrics`.
    pub(in crate::http) fn new(work: &Work, metrics: &LoadMetrics) -> Self {
        Self {
            usual: Lane::new("usual", work.usual, metrics),
            changes: Lane::new("changes", work.changes, metrics),
            mends: Lane::new("mends", work.mends, metrics),
            long: Lane::new("long", work.long, metrics),
            bodies: Lane::new("bodies", work.bodies, metrics),
        }
    }
}

/// Threads for one kind of work. A copy is the same lane.
#[derive(Clone)]
pub(in crate::http) struct Lane {
    line: Arc<Mutex<Line<oneshot::Sender<Turn>>>>,
    waiting: Gauge<i64, AtomicI64>,
    refused: Counter,
    dropped: Counter,
}

/// The right of one caller to use a thread until it is dropped. Then the next caller has it.
pub(in crate::http) struct Turn {
    lane: Lane,
    name: Arc<str>,
}

impl Turn {
    /// Notes that the request was given up before its work began.
    pub(in crate::http) fn unused(&self) {
        self.lane.dropped.inc();
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let next = self.lane.line().finish(&self.name);
        if let Some((name, tell)) = next {
            // A request that was given up just now gives its turn back, as this one does.
            drop(tell.send(self.lane.turn_of(name)));
        }
    }
}

/// One request that waits. Dropped early, it was given up.
struct Waiting<'a> {
    lane: &'a Lane,
    name: &'a Arc<str>,
    number: u64,
    is_over: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.lane.waiting.dec();
        if !self.is_over {
            self.lane.dropped.inc();
            self.lane.line().leave(self.name, self.number);
        }
    }
}

impl Lane {
    fn new(name: &'static str, limits: LaneLimits, metrics: &LoadMetrics) -> Self {
        Self {
            line: Arc::new(Mutex::new(Line::new(limits))),
            waiting: metrics.waiting(name),
            refused: metrics.work_refused(name),
            dropped: metrics.dropped(name),
        }
    }

    fn line(&self) -> MutexGuard<'_, Line<oneshot::Sender<Turn>>> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turn_of(&self, name: Arc<str>) -> Turn {
        Turn { lane: self.clone(), name }
    }

    /// Waits for the turn of `name`. Refuses where too many wait.
    pub(in crate::http) async fn turn(&self, name: &Arc<str>) -> Result<Turn, Refusal> {
        let (tell, told) = oneshot::channel();
        let place = {
            let mut line = self.line();
            if line.enter(name) {
                drop(line);
                return Ok(self.turn_of(Arc::clone(name)));
            }
            line.wait(name, tell)
        };
        let Some(place) = place else { return Err(self.busy()) };
        // Its request finds the other end gone, and is refused.
        drop(place.displaced);
        self.waiting.inc();
        let mut waiting = Waiting { lane: self, name, number: place.number, is_over: false };
        let told = told.await;
        waiting.is_over = true;
        told.map_err(|_| self.busy())
    }

    /// What a request is told that found too many before it, or had to make room for another caller.
    fn busy(&self) -> Refusal {
        self.refused.inc();
        let detail = "too many requests wait already, and nothing of this one was done: send it again after the seconds of `Retry-After`";
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "server.busy", detail).retry_after(COME_AGAIN)
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::{Pin, pin};
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn lane(threads: usize, waiting: usize) -> Lane {
        Lane::new("usual", LaneLimits { threads, waiting }, &LoadMetrics::default())
    }

    fn poll(turn: Pin<&mut dyn Future<Output = Result<Turn, Refusal>>>) -> Poll<Result<Turn, u16>> {
        let mut context = Context::from_waker(Waker::noop());
        turn.poll(&mut context).map(|turn| turn.map_err(|refusal| refusal.status().as_u16()))
    }

    #[test]
    fn one_works_one_waits_and_the_third_is_refused() {
        let (lane, desk) = (lane(1, 1), "desk".into());
        let first = poll(pin!(lane.turn(&desk)));
        let mut second = pin!(lane.turn(&desk));
        assert!(poll(second.as_mut()).is_pending());
        assert!(matches!(poll(pin!(lane.turn(&desk))), Poll::Ready(Err(503))));
        assert_eq!((lane.waiting.get(), lane.refused.get()), (1, 1));
        drop(first);
        assert!(poll(second.as_mut()).is_ready(), "the one that waited is next");
        assert_eq!((lane.waiting.get(), lane.dropped.get()), (0, 0));
    }

    #[test]
    fn a_request_that_is_given_up_leaves_its_place_to_another() {
        let (lane, desk) = (lane(1, 1), "desk".into());
        let first = poll(pin!(lane.turn(&desk)));
        for given_up in 1..=3 {
            assert!(poll(pin!(lane.turn(&desk))).is_pending());
            assert_eq!((lane.waiting.get(), lane.dropped.get()), (0, given_up));
        }
        {
            // Its turn comes, and it never hears of it.
            let mut unaware = pin!(lane.turn(&desk));
            assert!(poll(unaware.as_mut()).is_pending());
            drop(first);
        }
        assert!(poll(pin!(lane.turn(&desk))).is_ready());
    }

    #[test]
    fn a_caller_with_less_takes_the_place_of_one_with_more() {
        let (lane, many, one) = (lane(1, 2), "many".into(), "one".into());
        let first = poll(pin!(lane.turn(&many)));
        let (mut second, mut third) = (pin!(lane.turn(&many)), pin!(lane.turn(&many)));
        assert!(poll(second.as_mut()).is_pending() && poll(third.as_mut()).is_pending());
        let mut other = pin!(lane.turn(&one));
        assert!(poll(other.as_mut()).is_pending());
        assert!(matches!(poll(third.as_mut()), Poll::Ready(Err(503))), "the latest of the many makes room");
        drop(first);
        let Poll::Ready(Ok(turn)) = poll(second.as_mut()) else { panic!("it came before the other") };
        assert!(poll(other.as_mut()).is_pending());
        drop(turn);
        assert!(poll(other.as_mut()).is_ready());
        assert_eq!((lane.waiting.get(), lane.refused.get(), lane.dropped.get()), (0, 1, 0));
    }
}
