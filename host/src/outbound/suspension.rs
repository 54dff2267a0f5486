//! A circuit breaker for hosts: after some requests in a row without an answer, requests to a host are refused at once,
//! and after a pause one request tries the host.
//!
//! Counts for each asker (a plugin) by itself: requests of one plugin to a host may take long while those of another do
//! not, so no plugin closes a host for another. The state is in memory, for this process. An asker and a host are
//! remembered only from a request without an answer to the next one with an answer.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::domain::HttpHost;

use super::Refusal;

/// When a host is suspended, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SuspensionSettings {
    /// The number of requests in a row without an answer.
    pub failures: u32,
    /// The first pause. Each failed try doubles it.
    pub pause: Duration,
    /// The longest pause.
    pub longest: Duration,
}

impl Default for SuspensionSettings {
    fn default() -> Self {
        Self { failures: 5, pause: Duration::from_secs(5), longest: Duration::from_secs(300) }
    }
}

/// A host that is suspended now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuspendedHost {
    /// The host.
    pub host: HttpHost,
    /// The number of requests in a row that had no answer.
    pub failures: u32,
    /// The time until one request tries the host; `None` if the next request does, or one does now.
    pub left: Option<Duration>,
}

/// What the end of a request says about its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// The host answers.
    Answered,
    /// The host does not answer.
    Unanswered,
    /// It says nothing about the host.
    Unknown,
}

/// The hosts that gave no answer, by asker.
#[derive(Debug, Default)]
pub(super) struct Suspensions {
    settings: SuspensionSettings,
    silent: Mutex<BTreeMap<(String, HttpHost), Silent>>,
}

/// A host whose last request had no answer.
#[derive(Debug, Default)]
struct Silent {
    failures: u32,
    pause: Option<Pause>,
}

#[derive(Debug)]
struct Pause {
    until: Instant,
    time: Duration,
    trying: bool,
}

/// Permission to send a request. If it is dropped without a call of `ended`, the request says nothing about the host.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    suspensions: &'a Suspensions,
    key: (String, HttpHost),
    tries: bool,
}

impl Suspensions {
    pub(super) fn new(settings: SuspensionSettings) -> Self {
        Self { settings, silent: Mutex::default() }
    }

    /// Admits a request, unless its host is suspended.
    pub(super) fn admit(&self, asker: &str, host: &HttpHost, now: Instant) -> Result<Turn<'_>, Refusal> {
        let key = (asker.to_owned(), host.clone());
        let mut tries = false;
        if let Some(Silent { failures, pause: Some(pause) }) = self.silent().get_mut(&key) {
            let left = pause.until.saturating_duration_since(now);
            if pause.trying || !left.is_zero() {
                let seconds = left.as_secs().saturating_add(1);
                return Err(Refusal::Suspended { host: host.clone(), failures: *failures, seconds });
            }
            (pause.trying, tries) = (true, true);
        }
        Ok(Turn { suspensions: self, key, tries })
    }

    /// The hosts that are suspended for `asker` now.
    pub(super) fn of(&self, asker: &str, now: Instant) -> Vec<SuspendedHost> {
        let silent = self.silent();
        let its_own = silent.iter().filter(|((name, _), _)| name == asker);
        let paused = its_own.filter_map(|((_, host), it)| {
            let pause = it.pause.as_ref()?;
            let left = pause.until.saturating_duration_since(now);
            let left = (!pause.trying && !left.is_zero()).then_some(left);
            Some(SuspendedHost { host: host.clone(), failures: it.failures, left })
        });
        paused.collect()
    }

    fn unanswered(&self, key: (String, HttpHost), tries: bool, now: Instant) {
        let SuspensionSettings { failures: most, pause: first, longest } = self.settings;
        let mut silent = self.silent();
        let it = silent.entry(key.clone()).or_default();
        it.failures = it.failures.saturating_add(1);
        let time = match &it.pause {
            Some(pause) if tries => pause.time.saturating_mul(2).min(longest),
            // The request was sent before the host was suspended.
            Some(_) => return,
            None if it.failures >= most => first,
            None => return,
        };
        it.pause = Some(Pause { until: now + time, time, trying: false });
        let (failures, seconds, (plugin, host)) = (it.failures, time.as_secs(), key);
        drop(silent);
        tracing::warn!(plugin, %host, failures, seconds, "a host that goes on giving no answer is not asked");
    }

    fn answered(&self, key: &(String, HttpHost)) {
        let before = self.silent().remove(key);
        if before.is_some_and(|before| before.pause.is_some()) {
            tracing::info!(plugin = key.0, host = %key.1, "a host that gave no answer is asked again");
        }
    }

    /// The map is consistent after every line, so a poisoned lock can still be used.
    fn silent(&self) -> MutexGuard<'_, BTreeMap<(String, HttpHost), Silent>> {
        self.silent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn<'_> {
    /// Ends the turn with the outcome of the request.
    pub(super) fn ended(mut self, now: Instant, how: Ended) {
        match how {
            Ended::Answered => self.suspensions.answered(&self.key),
            Ended::Unanswered => {
                // The outcome of the try is recorded, so `drop` must not give the try back.
                let tries = std::mem::take(&mut self.tries);
                self.suspensions.unanswered(self.key.clone(), tries, now);
            }
            Ended::Unknown => {}
        }
    }
}

/// Gives back a try that said nothing about the host: the next request tries.
impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.tries
            && let Some(Silent { pause: Some(pause), .. }) = self.suspensions.silent().get_mut(&self.key)
        {
            pause.trying = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: SuspensionSettings =
        SuspensionSettings { failures: 3, pause: Duration::from_secs(5), longest: Duration::from_secs(12) };

    fn host() -> HttpHost {
        "a.example".parse().unwrap()
    }

    /// The outcomes of requests a second apart: `.` had an answer, `x` had none, `?` said nothing, `-` was refused.
    fn run(suspensions: &Suspensions, from: Instant, script: &str) -> String {
        let request = |(second, wanted): (usize, char)| {
            let now = from + Duration::from_secs(second as u64);
            let Ok(turn) = suspensions.admit("a/b", &host(), now) else { return '-' };
            turn.ended(
                now,
                match wanted {
                    '.' => Ended::Answered,
                    'x' => Ended::Unanswered,
                    _ => Ended::Unknown,
                },
            );
            wanted
        };
        script.chars().enumerate().map(request).collect()
    }

    #[test]
    fn a_host_is_suspended_after_requests_in_a_row_without_an_answer_and_tried_after_a_pause() {
        for (script, expected) in [
            ("........", "........"),
            ("xx.xx.xx", "xx.xx.xx"),
            ("xxx.....", "xxx----."),
            ("x?x?x...", "x?x?x---"),
            ("xxx????.x", "xxx----.x"),
            ("xxxxxxx?....", "xxx----?...."),
            // A failed try makes the pause 10 s, and the next one 12 s.
            ("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..", "xxx----x---------x-----------x--"),
        ] {
            assert_eq!(run(&Suspensions::new(SETTINGS), Instant::now(), script), expected, "for {script}");
        }
    }

    #[test]
    fn a_host_is_suspended_for_the_asker_that_had_no_answer_and_for_no_other() {
        let (suspensions, now) = (Suspensions::new(SETTINGS), Instant::now());
        run(&suspensions, now, "xxx");
        let later = now + Duration::from_secs(3);
        let refused = suspensions.admit("a/b", &host(), later).map(drop);
        assert_eq!(refused, Err(Refusal::Suspended { host: host(), failures: 3, seconds: 5 }));
        let refused = refused.unwrap_err();
        assert_eq!(
            (refused.code(), refused.is_denied(), refused.to_string().as_str()),
            ("suspended", true, "`a.example` is not asked for 5 s: 3 requests to it in a row had no answer")
        );
        assert!(suspensions.admit("a/c", &host(), later).is_ok());
        assert!(suspensions.admit("a/b", &"b.example".parse().unwrap(), later).is_ok());
        let shown = |asker| suspensions.of(asker, later);
        let expected = SuspendedHost { host: host(), failures: 3, left: Some(Duration::from_secs(4)) };
        assert_eq!((shown("a/b"), shown("a/c")), (vec![expected], Vec::new()));
    }

    #[test]
    fn one_request_tries_at_a_time_and_one_that_breaks_off_is_no_try() {
        let (suspensions, now) = (Suspensions::new(SETTINGS), Instant::now());
        run(&suspensions, now, "xxx");
        let later = now + Duration::from_secs(60);
        let first = suspensions.admit("a/b", &host(), later).unwrap();
        assert!(suspensions.admit("a/b", &host(), later).is_err());
        assert_eq!(suspensions.of("a/b", later)[0].left, None);
        drop(first);
        let second = suspensions.admit("a/b", &host(), later).unwrap();
        second.ended(later, Ended::Answered);
        assert!(suspensions.of("a/b", later).is_empty() && suspensions.silent().is_empty(), "it is forgotten");
    }

    #[test]
    fn requests_that_were_under_way_change_no_pause() {
        let (suspensions, now) = (Suspensions::new(SETTINGS), Instant::now());
        let under_way: Vec<_> = (0..8).map(|_| suspensions.admit("a/b", &host(), now).unwrap()).collect();
        for turn in under_way {
            turn.ended(now, Ended::Unanswered);
        }
        let left = suspensions.of("a/b", now).into_iter().map(|it| it.left);
        assert_eq!(left.collect::<Vec<_>>(), [Some(SETTINGS.pause)]);
    }
}
