//! The circuit breaker: a component that goes on breaking is not asked for a while, and then tried with one call.
//!
//! Counts only what is the component's own fault. In memory, for this process: another process finds out by itself.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::outbound::SuspendedHost;

/// When a breaker opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerSettings {
    /// So many faults open it,
    pub faults: usize,
    /// if they happened within this time and at least every second call since the first of them broke.
    pub window: Duration,
    /// How long nobody asks at first; twice as long after each try that fails.
    pub pause: Duration,
    /// The longest pause.
    pub longest: Duration,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            faults: 5,
            window: Duration::from_secs(30),
            pause: Duration::from_secs(5),
            longest: Duration::from_secs(300),
        }
    }
}

/// What a breaker lets through.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PluginHealth)]
pub struct Health {
    /// The step, of a plugin that has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The host outside that the plugin does not reach for now, because it went on giving no answer. The plugin itself is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Whether it is asked.
    pub state: BreakerState,
    /// Why it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Seconds until it is tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
}

/// Whether a component is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BreakerState {
    /// It is.
    Closed,
    /// It is not.
    Open,
    /// One call is let through to try it.
    HalfOpen,
}

/// A host outside that a plugin does not reach.
impl From<SuspendedHost> for Health {
    fn from(SuspendedHost { host, failures, left }: SuspendedHost) -> Self {
        Self {
            step: None,
            host: Some(host.to_string()),
            state: if left.is_some() { BreakerState::Open } else { BreakerState::HalfOpen },
            reason: Some(format!("{failures} requests to it in a row had no answer")),
            seconds: left.map(|left| left.as_secs()),
        }
    }
}

/// What a call changed about whether the next one is let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// It was one fault too many: nobody asks for this long.
    Opened {
        /// The faults that did it.
        faults: usize,
        /// Until it is tried.
        pause: Duration,
    },
    /// The component is asked again.
    Closed,
}

/// The breaker of one component, or of one of its steps.
#[derive(Debug)]
pub(super) struct Breaker {
    settings: BreakerSettings,
    /// Whether it is closed: all that most calls look at.
    closed: AtomicBool,
    calls: AtomicU64,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// The last faults: when, and the count of calls at that time.
    faults: VecDeque<(Instant, u64)>,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    until: Instant,
    pause: Duration,
    reason: String,
    trying: bool,
}

/// A call that was let through. Says what became of it.
#[derive(Debug)]
pub(super) struct Admitted<'a> {
    breaker: &'a Breaker,
    tries: bool,
}

/// Why a call was not let through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Suspended {
    pub(super) reason: String,
    pub(super) left: Duration,
}

impl Breaker {
    pub(super) fn new(settings: BreakerSettings) -> Self {
        Self { settings, closed: AtomicBool::new(true), calls: AtomicU64::new(0), inner: Mutex::default() }
    }

    /// Lets a call through, if the component is asked at all.
    pub(super) fn admit(&self, now: Instant) -> Result<Admitted<'_>, Suspended> {
        if !self.closed.load(Relaxed) {
            let mut inner = self.lock();
            if let Some(open) = &mut inner.open {
                let left = open.until.saturating_duration_since(now);
                if open.trying || !left.is_zero() {
                    return Err(Suspended { reason: open.reason.clone(), left });
                }
                open.trying = true;
                return Ok(Admitted { breaker: self, tries: true });
            }
        }
        self.calls.fetch_add(1, Relaxed);
        Ok(Admitted { breaker: self, tries: false })
    }

    pub(super) fn health(&self, step: Option<String>, now: Instant) -> Health {
        let inner = self.lock();
        match &inner.open {
            None => Health { step, host: None, state: BreakerState::Closed, reason: None, seconds: None },
            Some(open) => {
                let left = open.until.saturating_duration_since(now);
                let tried = open.trying || left.is_zero();
                let state = if tried { BreakerState::HalfOpen } else { BreakerState::Open };
                let seconds = (!tried).then_some(left.as_secs());
                Health { step, host: None, state, reason: Some(open.reason.clone()), seconds }
            }
        }
    }

    /// A call that was let through broke.
    pub(super) fn broke(&self, now: Instant, reason: &str) -> Option<Turn> {
        let mut inner = self.lock();
        if inner.open.is_some() {
            // It was let through before the breaker opened.
            return None;
        }
        let calls = self.calls.load(Relaxed);
        inner.faults.push_back((now, calls));
        while inner.faults.len() > self.settings.faults {
            inner.faults.pop_front();
        }
        let &(first, calls_then) = inner.faults.front()?;
        let many = inner.faults.len() >= self.settings.faults && now.duration_since(first) <= self.settings.window;
        let since = calls.saturating_sub(calls_then).saturating_add(1);
        let share = u64::try_from(inner.faults.len()).unwrap_or(u64::MAX).saturating_mul(2) >= since;
        if !many || !share {
            return None;
        }
        let count = inner.faults.len();
        let reason = format!("{count} of its last {since} calls broke, the last one so: {reason}");
        inner.open = Some(Open { until: now + self.settings.pause, pause: self.settings.pause, reason, trying: false });
        inner.faults.clear();
        self.closed.store(false, Relaxed);
        Some(Turn::Opened { faults: count, pause: self.settings.pause })
    }

    fn tried(&self, now: Instant, fault: Option<&str>) -> Option<Turn> {
        let mut inner = self.lock();
        let open = inner.open.as_mut()?;
        match fault {
            None => {
                inner.open = None;
                self.closed.store(true, Relaxed);
                Some(Turn::Closed)
            }
            Some(reason) => {
                open.pause = open.pause.saturating_mul(2).min(self.settings.longest);
                open.until = now + open.pause;
                open.reason = format!("it was tried again and broke: {reason}");
                open.trying = false;
                None
            }
        }
    }

    /// What the lock guards is whole after every line.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Admitted<'_> {
    /// The call ended, by a fault of the component if there is one.
    pub(super) fn ended(self, now: Instant, fault: Option<&str>) -> Option<Turn> {
        let Self { breaker, tries } = self;
        match (tries, fault) {
            (true, fault) => breaker.tried(now, fault),
            (false, Some(fault)) => breaker.broke(now, fault),
            (false, None) => None,
        }
    }

    /// The call was not made, for no fault of the component: nothing is known that was not known before.
    pub(super) fn withdrawn(self) {
        if self.tries
            && let Some(open) = &mut self.breaker.lock().open
        {
            open.trying = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: BreakerSettings = BreakerSettings {
        faults: 3,
        window: Duration::from_secs(10),
        pause: Duration::from_secs(5),
        longest: Duration::from_secs(12),
    };

    /// What became of calls a second apart: `.` for good, `x` for broken, `-` for not let through.
    fn run(breaker: &Breaker, from: Instant, script: &str) -> String {
        let call = |(second, wanted): (usize, char)| {
            let now = from + Duration::from_secs(second as u64);
            match breaker.admit(now) {
                Err(_) => '-',
                Ok(admitted) => {
                    admitted.ended(now, (wanted == 'x').then_some("boom"));
                    wanted
                }
            }
        };
        script.chars().enumerate().map(call).collect()
    }

    #[test]
    fn it_opens_after_many_faults_in_a_row_and_tries_after_a_pause() {
        for (script, expected) in [
            ("........", "........"),
            ("xx......", "xx......"),
            ("xxx.....", "xxx----."),
            ("x.x.x...", "x.x.x---"),
            ("x..x..x..x..x", "x..x..x..x..x"),
            ("xxxxxxxxx", "xxx----x-"),
        ] {
            assert_eq!(run(&Breaker::new(SETTINGS), Instant::now(), script), expected, "for {script}");
        }
    }

    #[test]
    fn a_try_that_fails_doubles_the_pause_and_one_that_does_not_closes_it() {
        let (breaker, begin) = (Breaker::new(SETTINGS), Instant::now());
        assert_eq!(run(&breaker, begin, "xxxx"), "xxx-");
        let at = |seconds| begin + Duration::from_secs(seconds);
        let try_at = |seconds, fault: Option<&str>| {
            breaker
                .admit(at(seconds))
                .map(|admitted| admitted.ended(at(seconds), fault))
                .map_err(|it| it.left.as_secs())
        };
        assert_eq!(try_at(6, Some("boom")), Err(1));
        assert_eq!(try_at(7, Some("boom")), Ok(None));
        assert_eq!(try_at(16, Some("boom")), Err(1), "ten seconds now");
        assert_eq!(try_at(17, Some("boom")), Ok(None));
        assert_eq!(try_at(28, None), Err(1), "twelve at most");
        assert_eq!(try_at(29, None), Ok(Some(Turn::Closed)));
        assert_eq!(breaker.health(None, at(29)).state, BreakerState::Closed);
    }

    #[test]
    fn the_call_that_opens_it_says_so() {
        let (breaker, now) = (Breaker::new(SETTINGS), Instant::now());
        let turns = [(); 4].map(|()| breaker.broke(now, "boom"));
        let opened = Turn::Opened { faults: 3, pause: SETTINGS.pause };
        assert_eq!(turns, [None, None, Some(opened), None]);
    }

    #[test]
    fn one_call_tries_at_a_time() {
        let (breaker, begin) = (Breaker::new(SETTINGS), Instant::now());
        run(&breaker, begin, "xxx");
        let later = begin + Duration::from_secs(60);
        let first = breaker.admit(later).unwrap();
        assert!(breaker.admit(later).is_err());
        assert_eq!(breaker.health(None, later).state, BreakerState::HalfOpen);
        first.withdrawn();
        assert!(breaker.admit(later).is_ok(), "a try that was not made is no try");
    }

    #[test]
    fn faults_that_lie_far_apart_do_not_add_up() {
        let (breaker, begin) = (Breaker::new(SETTINGS), Instant::now());
        for minute in 0..10 {
            let now = begin + Duration::from_secs(60 * minute);
            breaker.admit(now).unwrap().ended(now, Some("boom"));
        }
        assert_eq!(breaker.health(None, begin).state, BreakerState::Closed);
    }
}
