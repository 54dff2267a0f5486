//! Counts what one call uses, and ends the call where that is more than its limits.

use std::time::Duration;

use wasmtime::ResourceLimiter;

use crate::domain::trace::Usage;

use super::call_limits::Limits;
use super::exceeded::Exceeded;

/// Elements of a table, which the pool has room for.
pub(in crate::plugin) const TABLE_ELEMENTS: usize = 20_000;

/// Going on to write this many times the cap ends the call.
const LOG_PATIENCE: usize = 4;

/// How long the parts of a call took.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::plugin) struct Times {
    pub(in crate::plugin) instantiate: Duration,
    pub(in crate::plugin) run: Duration,
}

/// What a call has used so far.
#[derive(Debug)]
pub(in crate::plugin) struct Meter {
    limits: Limits,
    memory: usize,
    host_calls: u32,
    handed_over: usize,
    waited: Duration,
    written: usize,
}

impl Meter {
    pub(in crate::plugin) fn new(limits: Limits) -> Self {
        Self { limits, memory: 0, host_calls: 0, handed_over: 0, waited: Duration::ZERO, written: 0 }
    }

    /// Counts one call of an import that was handed `bytes` of text.
    pub(in crate::plugin) fn host_call(&mut self, bytes: usize) -> Result<(), Exceeded> {
        self.host_calls = self.host_calls.saturating_add(1);
        self.handed_over = self.handed_over.saturating_add(bytes);
        if self.host_calls > self.limits.host_calls {
            return Err(Exceeded::HostCalls { limit: self.limits.host_calls });
        }
        self.handed_over()
    }

    /// Counts `bytes` that came from outside.
    pub(in crate::plugin) fn came_in(&mut self, bytes: usize) -> Result<(), Exceeded> {
        self.handed_over = self.handed_over.saturating_add(bytes);
        self.handed_over()
    }

    /// How long the host may still wait for others.
    pub(in crate::plugin) fn may_wait(&self) -> Result<Duration, Exceeded> {
        let limit = self.limits.waiting;
        let left = limit.saturating_sub(self.waited);
        if left.is_zero() { Err(Exceeded::Waiting { limit }) } else { Ok(left) }
    }

    /// Counts time that the host waited for others.
    pub(in crate::plugin) fn waited(&mut self, time: Duration) {
        self.waited = self.waited.saturating_add(time);
    }

    /// How long the host waited for others.
    pub(in crate::plugin) fn time_waited(&self) -> Duration {
        self.waited
    }

    /// The longest processor time of the call.
    pub(in crate::plugin) fn deadline(&self) -> Duration {
        self.limits.deadline
    }

    fn handed_over(&self) -> Result<(), Exceeded> {
        if self.handed_over > self.limits.handed_over {
            return Err(Exceeded::HandedOver { limit: self.limits.handed_over, found: self.handed_over });
        }
        Ok(())
    }

    /// Counts `bytes` of log. More than is kept is dropped; too much of that is an error.
    pub(in crate::plugin) fn log(&mut self, bytes: usize) -> Result<(), Exceeded> {
        self.written = self.written.saturating_add(bytes);
        if self.written > self.limits.log.saturating_mul(LOG_PATIENCE) {
            return Err(Exceeded::Log { limit: self.limits.log, found: self.written });
        }
        Ok(())
    }

    /// What was used so far. Memory never shrinks, so what is there is what was there at most.
    pub(in crate::plugin) fn usage(&self, times: Times) -> Usage {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let bytes = |bytes: usize| u64::try_from(bytes).unwrap_or(u64::MAX);
        Usage {
            instantiate_micros: micros(times.instantiate),
            run_micros: micros(times.run),
            peak_memory: bytes(self.memory),
            host_calls: self.host_calls,
            handed_over: bytes(self.handed_over),
        }
    }

    fn grow(&mut self, from: usize, to: usize, maximum: Option<usize>) -> Result<bool, Exceeded> {
        if maximum.is_some_and(|maximum| to > maximum) {
            return Ok(false);
        }
        let total = self.memory.saturating_add(to.saturating_sub(from));
        if total > self.limits.memory {
            return Err(Exceeded::Memory { limit: self.limits.memory, found: total });
        }
        self.memory = total;
        Ok(true)
    }
}

/// Growing beyond the limit ends the call: a refusal the guest could survive would make its answer depend on the limit.
impl ResourceLimiter for Meter {
    fn memory_growing(&mut self, from: usize, to: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.grow(from, to, maximum)?)
    }

    fn table_growing(&mut self, from: usize, to: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        const SLOT: usize = size_of::<usize>();
        // The engine names what the pool has as the maximum of a table that declares none.
        if to > TABLE_ELEMENTS && maximum.is_none_or(|maximum| maximum >= TABLE_ELEMENTS) {
            return Err(Exceeded::Table { limit: TABLE_ELEMENTS, found: to }.into());
        }
        let bytes = |elements: usize| elements.saturating_mul(SLOT);
        Ok(self.grow(bytes(from), bytes(to), maximum.map(bytes))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter() -> Meter {
        Meter::new(Limits { memory: 100, host_calls: 3, handed_over: 10, log: 10, ..Limits::default() })
    }

    #[test]
    fn memories_and_tables_share_one_limit() {
        let mut meter = meter();
        assert!(meter.memory_growing(0, 40, None).unwrap());
        assert!(meter.memory_growing(0, 40, None).unwrap());
        assert!(meter.memory_growing(40, 50, None).unwrap());
        assert!(meter.table_growing(0, 1, None).unwrap());
        let refused = meter.table_growing(1, 2, None).unwrap_err();
        assert_eq!(refused.downcast_ref(), Some(&Exceeded::Memory { limit: 100, found: 106 }));
    }

    #[test]
    fn a_table_ends_where_the_pool_ends_but_for_its_own_maximum() {
        let mut meter = Meter::new(Limits::default());
        let refused = meter.table_growing(0, TABLE_ELEMENTS + 1, Some(TABLE_ELEMENTS)).unwrap_err();
        let expected = Exceeded::Table { limit: TABLE_ELEMENTS, found: TABLE_ELEMENTS + 1 };
        assert_eq!(refused.downcast_ref(), Some(&expected));
        assert!(!meter.table_growing(0, TABLE_ELEMENTS + 1, Some(7)).unwrap());
        assert!(meter.table_growing(0, TABLE_ELEMENTS, None).unwrap());
    }

    #[test]
    fn what_was_used_is_told() {
        let mut meter = meter();
        meter.memory_growing(0, 40, None).unwrap();
        meter.memory_growing(40, 50, None).unwrap();
        meter.host_call(7).unwrap();
        let times = Times { instantiate: Duration::from_micros(3), run: Duration::from_micros(5) };
        let expected = Usage { instantiate_micros: 3, run_micros: 5, peak_memory: 50, host_calls: 1, handed_over: 7 };
        assert_eq!(meter.usage(times), expected);
    }

    #[test]
    fn growing_beyond_its_own_maximum_is_the_guests_affair() {
        let mut meter = meter();
        assert!(!meter.memory_growing(0, 90, Some(80)).unwrap());
        assert!(meter.memory_growing(0, 90, Some(90)).unwrap());
    }

    #[test]
    fn calls_and_what_they_hand_over_are_counted() {
        let mut calls = meter();
        let counted: Vec<_> = (0..4).map(|_| calls.host_call(0)).collect();
        assert_eq!(counted, [Ok(()), Ok(()), Ok(()), Err(Exceeded::HostCalls { limit: 3 })]);
        let mut text = meter();
        assert_eq!(
            [text.host_call(10), text.host_call(1)],
            [Ok(()), Err(Exceeded::HandedOver { limit: 10, found: 11 })]
        );
    }

    #[test]
    fn waiting_for_others_has_a_limit() {
        let [millis, second] = [Duration::from_millis(1), Duration::from_secs(1)];
        let mut meter = Meter::new(Limits { waiting: second, ..Limits::default() });
        assert_eq!(meter.may_wait(), Ok(second));
        meter.waited(400 * millis);
        assert_eq!(meter.may_wait(), Ok(600 * millis));
        meter.waited(700 * millis);
        assert_eq!(meter.may_wait(), Err(Exceeded::Waiting { limit: second }));
    }

    #[test]
    fn what_comes_in_counts_with_what_is_handed_over() {
        let mut meter = meter();
        assert_eq!([meter.host_call(6), meter.came_in(4)], [Ok(()), Ok(())]);
        assert_eq!(meter.came_in(1), Err(Exceeded::HandedOver { limit: 10, found: 11 }));
    }

    #[test]
    fn a_flood_of_log_ends_the_call() {
        let mut meter = meter();
        let counted = [8, 8, 2, 22, 1].map(|bytes| meter.log(bytes));
        assert_eq!(counted, [Ok(()), Ok(()), Ok(()), Ok(()), Err(Exceeded::Log { limit: 10, found: 41 })]);
    }
}
