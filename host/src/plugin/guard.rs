//! Who may ask a component now: a breaker before it, and the bulkhead of its plugin, so that one that is slow or broken
//! takes no more than its share. A call that may wait for others outside has a smaller one.

pub(in crate::plugin) mod breaker;
pub(in crate::plugin) mod budget;
pub(in crate::plugin) mod concurrency;
pub(in crate::plugin) mod waiting;

use std::sync::Arc;
use std::time::{Duration, Instant};

use self::breaker::{Admitted, Breaker, Health, Source, Suspended, Turn};
use self::concurrency::{Bulkhead, Place};
use super::config::Config;
use super::limits::call_error::CallError;

/// What stands before a component.
#[derive(Debug)]
pub(super) struct Guard {
    plugin: String,
    bulkhead: Arc<Bulkhead>,
    slot_timeout: Duration,
    /// One for each step, of a component that has steps; else one.
    breakers: Vec<(Option<String>, Breaker)>,
}

/// A permit to make one call. A permit that is dropped without a result counts as no call.
pub(super) struct Permit<'a> {
    plugin: &'a str,
    step: Option<&'a str>,
    admitted: Option<Admitted<'a>>,
    place: Place<'a>,
}

impl Guard {
    /// What stands before a component of `plugin` with these steps, or with none. All components of the plugin share
    /// `bulkhead`.
    pub(super) fn new(
        config: &Config,
        plugin: &str,
        bulkhead: Arc<Bulkhead>,
        steps: impl IntoIterator<Item = String>,
    ) -> Self {
        let mut breakers: Vec<_> = steps.into_iter().map(|step| (Some(step), Breaker::new(config.breaker))).collect();
        if breakers.is_empty() {
            breakers.push((None, Breaker::new(config.breaker)));
        }
        Self { plugin: plugin.to_owned(), bulkhead, slot_timeout: config.slot_timeout, breakers }
    }

    /// Permit to ask the component, as `step` if it has steps, about a question of `source`, in a call that `may_wait`
    /// for others outside or not.
    pub(super) fn enter(&self, step: Option<&str>, source: Source, may_wait: bool) -> Result<Permit<'_>, CallError> {
        let wanted = self.breakers.iter().find(|(name, _)| name.as_deref() == step).or_else(|| self.breakers.first());
        // There is one at least.
        let Some((step, breaker)) = wanted else { return Err(CallError::Busy(self.slot_timeout)) };
        let admitted = breaker.admit(Instant::now(), source).map_err(|Suspended { reason, left }| {
            CallError::Suspended { reason, seconds: left.as_secs().saturating_add(1) }
        })?;
        match self.bulkhead.enter(may_wait) {
            Ok(place) => Ok(Permit { plugin: &self.plugin, step: step.as_deref(), admitted: Some(admitted), place }),
            Err(error) => {
                admitted.withdrawn();
                Err(error)
            }
        }
    }

    /// What the component answered as `step` turned out to be no answer. Why is in the record of the call alone: it
    /// quotes the answer.
    pub(super) fn report_invalid(&self, step: &str) {
        if let Some((_, breaker)) = self.breakers.iter().find(|(name, _)| name.as_deref() == Some(step)) {
            let why = "what it answered cannot be carried out";
            tell(&self.plugin, Some(step), breaker.broke(Instant::now(), Source::UNKNOWN, why));
        }
    }

    /// What is let through.
    pub(super) fn health(&self) -> Vec<Health> {
        let now = Instant::now();
        self.breakers.iter().map(|(step, breaker)| breaker.health(step.clone(), now)).collect()
    }
}

impl Permit<'_> {
    /// The call ended, and `waited` for others outside.
    pub(super) fn ended(mut self, error: Option<&CallError>, waited: Duration) {
        self.place.waited(waited);
        let Some(admitted) = self.admitted.take() else { return };
        match error {
            Some(error) if !error.is_its_fault() || error.is_of_the_question() => admitted.withdrawn(),
            error => {
                // Callers who may not see records of calls see this. What a guest writes may quote what it was told of
                // people.
                let fault = error.map(CallError::public_message);
                tell(self.plugin, self.step, admitted.ended(Instant::now(), fault.as_deref()));
            }
        }
    }
}

/// Writes into the log that a component is not asked any more, or is again.
fn tell(plugin: &str, step: Option<&str>, turn: Option<Turn>) {
    match turn {
        Some(Turn::Opened { faults, pause }) => {
            tracing::warn!(
                plugin,
                step,
                faults,
                seconds = pause.as_secs(),
                "a plugin that goes on breaking is not asked"
            );
        }
        Some(Turn::Closed) => tracing::info!(plugin, step, "a plugin that went on breaking is asked again"),
        None => {}
    }
}

/// A host that panics must not leave a breaker waiting for a try that never ends.
impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if let Some(admitted) = self.admitted.take() {
            admitted.withdrawn();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::config::breaker_settings::BreakerSettings;
    use crate::plugin::guard::breaker::BreakerState;
    use crate::plugin::guard::concurrency::Bulkheads;
    use crate::plugin::limits::exceeded::Exceeded;
    use crate::plugin::limits::weight::Weight;

    fn guard<const N: usize>(breaker: BreakerSettings, steps: [&str; N]) -> Guard {
        let config = Config { breaker, ..Config::default() };
        let bulkhead = Bulkheads::new(&config).of("a/b", Weight::Light, &config);
        Guard::new(&config, "a/b", bulkhead, steps.map(str::to_owned))
    }

    #[test]
    fn a_try_that_broke_off_is_no_try() {
        let breaker = BreakerSettings { faults: 1, pause: Duration::ZERO, ..BreakerSettings::default() };
        let guard = guard(breaker, []);
        let fault = CallError::Timeout(Duration::from_millis(50));
        guard.enter(None, Source::UNKNOWN, false).unwrap().ended(Some(&fault), Duration::ZERO);
        assert_eq!(guard.health()[0].state, BreakerState::HalfOpen);
        drop(guard.enter(None, Source::UNKNOWN, false).unwrap());
        guard.enter(None, Source::UNKNOWN, false).unwrap().ended(None, Duration::ZERO);
        assert_eq!(guard.health()[0].state, BreakerState::Closed);
    }

    #[test]
    fn each_step_has_a_breaker_of_its_own() {
        let breaker = BreakerSettings { faults: 1, ..BreakerSettings::default() };
        let guard = guard(breaker, ["one", "two"]);
        guard
            .enter(Some("one"), Source::UNKNOWN, false)
            .unwrap()
            .ended(Some(&CallError::Timeout(Duration::ZERO)), Duration::ZERO);
        assert!(matches!(guard.enter(Some("one"), Source::UNKNOWN, false).err(), Some(CallError::Suspended { .. })));
        assert!(guard.enter(Some("two"), Source::UNKNOWN, false).is_ok());
        guard
            .enter(Some("two"), Source::UNKNOWN, false)
            .unwrap()
            .ended(Some(&CallError::Busy(Duration::ZERO)), Duration::ZERO);
        assert!(guard.enter(Some("two"), Source::UNKNOWN, false).is_ok(), "want of room never counts");
    }

    #[test]
    fn what_a_guest_writes_is_not_in_the_reason() {
        let guard = guard(BreakerSettings { faults: 1, ..BreakerSettings::default() }, ["one", "two"]);
        let failed = CallError::Failed { code: "sad".to_owned(), message: "Ada Lovelace called".to_owned() };
        guard.enter(Some("one"), Source::UNKNOWN, false).unwrap().ended(Some(&failed), Duration::ZERO);
        guard.report_invalid("two");
        let reasons: Vec<_> = guard.health().into_iter().filter_map(|it| it.reason).collect();
        let so = |what: &str| format!("1 of its last 1 calls broke, the last one so: {what}");
        assert_eq!(reasons, [so("it answered with the fault `sad`"), so("what it answered cannot be carried out")]);
    }

    #[test]
    fn others_that_are_slow_open_no_breaker() {
        let guard = guard(BreakerSettings { faults: 1, ..BreakerSettings::default() }, []);
        let slow = CallError::Exceeded(Exceeded::Waiting { limit: Duration::from_secs(5) });
        guard.enter(None, Source::UNKNOWN, true).unwrap().ended(Some(&slow), Duration::from_secs(5));
        assert_eq!(guard.health()[0].state, BreakerState::Closed);
        guard
            .enter(None, Source::UNKNOWN, true)
            .unwrap()
            .ended(Some(&CallError::Timeout(Duration::ZERO)), Duration::from_secs(5));
        assert_eq!(guard.health()[0].state, BreakerState::Open, "what it does itself afterwards is its own fault");
    }

    #[test]
    fn what_is_too_large_is_the_questions_and_opens_no_breaker() {
        let guard = guard(BreakerSettings { faults: 1, ..BreakerSettings::default() }, []);
        let at_once = CallError::Trapped { what: String::new(), is_guest_text: false, place: None, at_once: Some(1) };
        for error in [
            Exceeded::Output { limit: 1, found: None }.into(),
            Exceeded::Items { limit: 1, found: 2 }.into(),
            Exceeded::HandedOver { limit: 1, found: 2 }.into(),
            Exceeded::Text { limit: 1, found: 2 }.into(),
            Exceeded::Slugs { limit: 1 }.into(),
            at_once,
        ] {
            guard.enter(None, Source::UNKNOWN, false).unwrap().ended(Some(&error), Duration::ZERO);
            assert_eq!(guard.health()[0].state, BreakerState::Closed, "{error:?}");
        }
        let loops: CallError = Exceeded::HostCalls { limit: 1 }.into();
        guard.enter(None, Source::UNKNOWN, false).unwrap().ended(Some(&loops), Duration::ZERO);
        assert_eq!(guard.health()[0].state, BreakerState::Open);
    }
}
