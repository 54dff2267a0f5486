//! The circuit breaker: a component that goes on breaking is not asked for a while, and then tried with one call.
//!
//! Counts only what is the component's own fault, and opens only when questions of several callers, or about several
//! persons, met it: one question that is asked again and again takes a component from no other. In memory, for this
//! process: another process finds out by itself.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::domain::trace::Caller;
use crate::outbound::SuspendedHost;
use crate::plugin::config::breaker_settings::BreakerSettings;

/// What a breaker lets through.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PluginHealth)]
pub struct Health {
    /// The step, of a plugin that has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The host outside that the plugin does not reach for now, because it went on giving no answer. The plugin itself
    /// is asked.
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
pub(in crate::plugin) enum Turn {
    /// It was one fault too many: the component is not called for this long.
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
pub(in crate::plugin) struct Breaker {
    settings: BreakerSettings,
    /// Whether it is closed: all that most calls look at.
    closed: AtomicBool,
    calls: AtomicU64,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// The last faults.
    faults: VecDeque<Fault>,
    open: Option<Open>,
}

/// A call that broke.
#[derive(Debug, Clone, Copy)]
struct Fault {
    at: Instant,
    /// The count of calls at that time.
    calls: u64,
    source: Source,
}

/// Whose question a call belongs to, as far as one can be told from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::plugin) struct Source(Option<u64>);

impl Source {
    /// That cannot be told, as of changes: each call counts.
    pub(in crate::plugin) const UNKNOWN: Self = Self(None);

    /// The caller's token, and the person the question is about.
    pub(in crate::plugin) fn of(caller: &Caller) -> Self {
        let Caller { token, user, .. } = caller;
        if token.is_none() && user.is_none() {
            return Self::UNKNOWN;
        }
        let mut hasher = DefaultHasher::new();
        (token, user).hash(&mut hasher);
        Self(Some(hasher.finish()))
    }

    /// Whether another call may be of another source.
    fn may_differ(self, other: Self) -> bool {
        self.0.is_none() || self != other
    }
}

#[derive(Debug)]
struct Open {
    until: Instant,
    pause: Duration,
    reason: String,
    trying: bool,
    /// Whose try broke last. Others may try before the same does again.
    tried_by: Source,
}

/// A call that was let through. Says what became of it.
#[derive(Debug)]
pub(in crate::plugin) struct Admitted<'a> {
    breaker: &'a Breaker,
    source: Source,
    tries: bool,
}

/// Why a call was not let through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::plugin) struct Suspended {
    pub(in crate::plugin) reason: String,
    pub(in crate::plugin) left: Duration,
}

impl Breaker {
    pub(in crate::plugin) fn new(settings: BreakerSettings) -> Self {
        Self { settings, closed: AtomicBool::new(true), calls: AtomicU64::new(0), inner: Mutex::default() }
    }

    /// Lets a call through, if the component is asked at all.
    pub(in crate::plugin) fn admit(&self, now: Instant, source: Source) -> Result<Admitted<'_>, Suspended> {
        if !self.closed.load(Relaxed) {
            let mut inner = self.lock();
            if let Some(open) = &mut inner.open {
                let pause = if open.tried_by.may_differ(source) { Duration::ZERO } else { open.pause };
                let left = (open.until + pause).saturating_duration_since(now);
                if open.trying || !left.is_zero() {
                    return Err(Suspended { reason: open.reason.clone(), left });
                }
                open.trying = true;
                return Ok(Admitted { breaker: self, source, tries: true });
            }
        }
        self.calls.fetch_add(1, Relaxed);
        Ok(Admitted { breaker: self, source, tries: false })
    }

    pub(in crate::plugin) fn health(&self, step: Option<String>, now: Instant) -> Health {
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
    pub(in crate::plugin) fn broke(&self, now: Instant, source: Source, reason: &str) -> Option<Turn> {
        let mut inner = self.lock();
        if inner.open.is_some() {
            // It was let through before the breaker opened.
            return None;
        }
        let calls = self.calls.load(Relaxed);
        inner.faults.push_back(Fault { at: now, calls, source });
        while inner.faults.len() > self.settings.faults {
            inner.faults.pop_front();
        }
        let first = *inner.faults.front()?;
        let many = inner.faults.len() >= self.settings.faults && now.duration_since(first.at) <= self.settings.window;
        let several =
            self.settings.faults < 2 || inner.faults.iter().skip(1).any(|it| first.source.may_differ(it.source));
        let since = calls.saturating_sub(first.calls).saturating_add(1);
        let share = u64::try_from(inner.faults.len()).unwrap_or(u64::MAX).saturating_mul(2) >= since;
        if !many || !several || !share {
            return None;
        }
        let count = inner.faults.len();
        let reason = format!("{count} of its last {since} calls broke, the last one so: {reason}");
        let pause = self.settings.pause;
        let tried_by = Source::UNKNOWN;
        inner.open = Some(Open { until: now + pause, pause, reason, trying: false, tried_by });
        inner.faults.clear();
        self.closed.store(false, Relaxed);
        Some(Turn::Opened { faults: count, pause: self.settings.pause })
    }

    fn tried(&self, now: Instant, source: Source, fault: Option<&str>) -> Option<Turn> {
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
                open.tried_by = source;
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
    pub(in crate::plugin) fn ended(self, now: Instant, fault: Option<&str>) -> Option<Turn> {
        let Self { breaker, source, tries } = self;
        match (tries, fault) {
            (true, fault) => breaker.tried(now, source, fault),
            (false, Some(fault)) => breaker.broke(now, source, fault),
            (false, None) => None,
        }
    }

    /// The call was not made, for no fault of the component: nothing is known that was not known before.
    pub(in crate::plugin) fn withdrawn(self) {
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
            match breaker.admit(now, Source::UNKNOWN) {
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
                .admit(at(seconds), Source::UNKNOWN)
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
        let turns = [(); 4].map(|()| breaker.broke(now, Source::UNKNOWN, "boom"));
        let opened = Turn::Opened { faults: 3, pause: SETTINGS.pause };
        assert_eq!(turns, [None, None, Some(opened), None]);
    }

    #[test]
    fn one_call_tries_at_a_time() {
        let (breaker, begin) = (Breaker::new(SETTINGS), Instant::now());
        run(&breaker, begin, "xxx");
        let later = begin + Duration::from_secs(60);
        let first = breaker.admit(later, Source::UNKNOWN).unwrap();
        assert!(breaker.admit(later, Source::UNKNOWN).is_err());
        assert_eq!(breaker.health(None, later).state, BreakerState::HalfOpen);
        first.withdrawn();
        assert!(breaker.admit(later, Source::UNKNOWN).is_ok(), "a try that was not made is no try");
    }

    #[test]
    fn faults_that_lie_far_apart_do_not_add_up() {
        let (breaker, begin) = (Breaker::new(SETTINGS), Instant::now());
        for minute in 0..10 {
            let now = begin + Duration::from_secs(60 * minute);
            breaker.admit(now, Source::UNKNOWN).unwrap().ended(now, Some("boom"));
        }
        assert_eq!(breaker.health(None, begin).state, BreakerState::Closed);
    }

    /// The question of a caller about a person.
    fn about(token: &str, user: &str) -> Source {
        Source::of(&Caller { token: Some(token.into()), user: Some(user.into()), ..Caller::default() })
    }

    /// Calls at one time that all break, each of a source; whether the breaker is open after them.
    fn opens(sources: &[Source]) -> bool {
        let (breaker, now) = (Breaker::new(SETTINGS), Instant::now());
        for source in sources {
            if let Ok(admitted) = breaker.admit(now, *source) {
                admitted.ended(now, Some("boom"));
            }
        }
        breaker.admit(now, Source::UNKNOWN).is_err()
    }

    #[test]
    fn one_caller_who_asks_about_one_person_suspends_nothing() {
        let (ada, bob) = (about("desk", "ada"), about("desk", "bob"));
        assert!(!opens(&[ada; 100]));
        assert!(opens(&[ada, ada, bob]), "another person met it");
        assert!(opens(&[ada, ada, about("shop", "ada")]), "another caller met it");
        assert!(opens(&[Source::UNKNOWN; 3]), "what cannot be told apart counts");
        assert!(opens(&[ada, Source::UNKNOWN, ada]));
        let one = Breaker::new(BreakerSettings { faults: 1, ..SETTINGS });
        assert!(one.broke(Instant::now(), ada, "boom").is_some(), "where one fault is enough, one source is");
    }

    #[test]
    fn who_broke_the_last_try_lets_others_try_first() {
        let (breaker, begin) = (Breaker::new(SETTINGS), Instant::now());
        let (ada, bob) = (about("desk", "ada"), about("desk", "bob"));
        let at = |seconds| begin + Duration::from_secs(seconds);
        run(&breaker, begin, "xxx");
        breaker.admit(at(7), ada).unwrap().ended(at(7), Some("boom"));
        // Ten seconds of pause, and for the same ten more.
        assert!(breaker.admit(at(18), ada).is_err());
        assert_eq!(breaker.admit(at(18), bob).unwrap().ended(at(18), None), Some(Turn::Closed));
        run(&breaker, at(18), "xxx");
        breaker.admit(at(27), ada).unwrap().ended(at(27), Some("boom"));
        assert!(breaker.admit(at(48), ada).is_ok(), "no other caller came");
    }
}
