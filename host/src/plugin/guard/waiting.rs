//! What calls that may wait for answers from outside take of what all calls share: slots, threads, and time.
//!
//! A call that waits keeps its instance, which keeps a slot, and the thread of the request it is made for. So such
//! calls have room of their own, smaller than the room of all others, and a call that finds none is refused soon.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::plugin::config::Config;
use crate::plugin::config::waiting_share::WaitingShare;
use crate::plugin::limits::slots::Slots;
use crate::plugin::limits::weight::Weight;

/// What calls of all plugins that may wait outside share.
#[derive(Debug)]
pub(in crate::plugin) struct WaitingRoom {
    /// Calls under way, each with the thread it holds.
    pub(in crate::plugin) threads: Slots,
    /// Queries of slugs among them: as many as the calls of one plugin that run and wait.
    pub(in crate::plugin) queries: Slots,
    light: Slots,
    heavy: Slots,
}

impl WaitingRoom {
    pub(in crate::plugin) fn new(config: &Config) -> Self {
        let slots = |weight| Slots::new(usize::try_from(config.waiting_slots_for(weight)).unwrap_or(usize::MAX));
        let queries =
            usize::try_from(config.waiting.per_plugin).unwrap_or(usize::MAX).saturating_add(config.waiting.queue);
        Self {
            threads: Slots::new(config.waiting.threads),
            queries: Slots::new(queries),
            light: slots(Weight::Light),
            heavy: slots(Weight::Heavy),
        }
    }

    /// The slots of calls that run.
    pub(in crate::plugin) fn running(&self, weight: Weight) -> &Slots {
        match weight {
            Weight::Light => &self.light,
            Weight::Heavy => &self.heavy,
        }
    }
}

/// How long the calls of one plugin may still wait outside. It grows with time, and shrinks by what calls waited.
#[derive(Debug)]
pub(in crate::plugin) struct Budget {
    per_second: u32,
    reserve: Duration,
    used: Mutex<Used>,
}

/// What was used of a budget and has not grown back.
#[derive(Debug)]
struct Used {
    waited: Duration,
    /// When this was so.
    at: Instant,
}

impl Budget {
    pub(in crate::plugin) fn new(share: &WaitingShare, now: Instant) -> Self {
        let used = Mutex::new(Used { waited: Duration::ZERO, at: now });
        Self { per_second: share.per_second.max(1), reserve: share.reserve, used }
    }

    /// Whether a call may wait. If not, how long it takes until one may.
    pub(in crate::plugin) fn admit(&self, now: Instant) -> Result<(), Duration> {
        let waited = self.used(now).waited;
        match waited.checked_sub(self.reserve) {
            Some(over) if !over.is_zero() => Err(over / self.per_second),
            _ => Ok(()),
        }
    }

    /// A call waited for so long.
    pub(in crate::plugin) fn spend(&self, now: Instant, waited: Duration) {
        if !waited.is_zero() {
            let mut used = self.used(now);
            used.waited = used.waited.saturating_add(waited);
        }
    }

    /// What is used at this time.
    fn used(&self, now: Instant) -> MutexGuard<'_, Used> {
        // What the lock guards is whole after every line.
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let grown = now.saturating_duration_since(used.at).saturating_mul(self.per_second);
        used.waited = used.waited.saturating_sub(grown);
        used.at = used.at.max(now);
        used
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARE: WaitingShare = WaitingShare {
        per_plugin: 8,
        queue: 8,
        slot_timeout: Duration::ZERO,
        threads: 32,
        per_second: 4,
        reserve: Duration::from_secs(20),
    };

    #[test]
    fn calls_that_wait_outside_leave_slots_to_all_others() {
        let config = Config::default();
        let room = [Weight::Light, Weight::Heavy].map(|weight| {
            let left = config.slots_for(weight) - config.waiting_slots_for(weight);
            (
                config.waiting_calls_per_plugin(weight),
                config.waiting_slots_for(weight),
                left >= config.calls_per_plugin(weight),
            )
        });
        assert_eq!(room, [(8, 16, true), (2, 4, true)]);
        let small = Config { slots: 1, heavy_slots: 1, per_plugin: 1, ..Config::default() };
        assert_eq!((small.waiting_calls_per_plugin(Weight::Light), small.waiting_slots_for(Weight::Heavy)), (1, 1));
    }

    #[test]
    fn a_budget_is_used_up_by_waiting_and_grows_back() {
        let begin = Instant::now();
        let budget = Budget::new(&SHARE, begin);
        let (at, seconds) = (|second| begin + Duration::from_secs(second), Duration::from_secs);
        budget.spend(at(0), seconds(20));
        assert_eq!(budget.admit(at(0)), Ok(()), "the reserve is used up, and not more");
        budget.spend(at(0), seconds(40));
        assert_eq!(budget.admit(at(0)), Err(seconds(10)), "40 s too much grow back at 4 a second");
        assert_eq!(budget.admit(at(9)), Err(seconds(1)));
        assert_eq!(budget.admit(at(10)), Ok(()));
        budget.spend(at(1000), seconds(20));
        assert_eq!(budget.admit(at(1000)), Ok(()), "no more is saved than the reserve");
        budget.spend(at(1000), seconds(4));
        assert_eq!(budget.admit(at(1000)), Err(seconds(1)));
        assert_eq!(budget.admit(at(999)), Err(seconds(1)), "a clock that was read earlier gives nothing back");
    }

    #[test]
    fn a_host_that_is_fast_enough_is_never_too_slow() {
        let begin = Instant::now();
        let budget = Budget::new(&SHARE, begin);
        for call in 0..10_000_u32 {
            // Forty calls a second of a tenth of a second each.
            let now = begin + Duration::from_millis(25) * call;
            assert_eq!(budget.admit(now), Ok(()), "call {call}");
            budget.spend(now, Duration::from_millis(100));
        }
    }
}
