//! What one call may use, and the counting of what it did use.

use std::time::Duration;

use wasmtime::ResourceLimiter;

use crate::domain::CallLimits;
use crate::domain::trace::Usage;

use super::record::Times;
use super::weight::Weight;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// Elements of a table, which the pool has room for.
pub(super) const TABLE_ELEMENTS: usize = 20_000;

/// Going on to write this many times the cap ends the call.
const LOG_PATIENCE: usize = 4;

/// What one call may use. The defaults are those of `wit/README.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest processor time, from before the instance is made.
    pub deadline: Duration,
    /// Longest time the host waits for others on behalf of the call. Does not count against the deadline.
    pub waiting: Duration,
    /// Bytes of all memories and tables of the call together.
    pub memory: usize,
    /// Calls to imports.
    pub host_calls: u32,
    /// Bytes handed to imports in all calls together, which may end up in the record of reads, and bytes that came from outside.
    pub handed_over: usize,
    /// Bytes handed to one import, and bytes of a decision.
    pub output: usize,
    /// Items a decision may name.
    pub items: usize,
    /// Bytes of trace lines and standard error together.
    pub log: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            deadline: Duration::from_millis(50),
            waiting: Duration::from_secs(5),
            memory: Weight::Light.memory(),
            host_calls: 10_000,
            handed_over: 4 * MIB,
            output: 256 * KIB,
            items: 1_000,
            log: 64 * KIB,
        }
    }
}

impl Limits {
    /// What one call of a step in a change of configuration may use: an administrator waits for it, and it may be about many items.
    pub fn of_handlers() -> Self {
        Self { deadline: Duration::from_secs(1), handed_over: 8 * MIB, output: 4 * MIB, ..Self::default() }
    }

    /// What one call of a step of upgrades may use: nobody waits for a page, and a page is larger than a question.
    pub fn of_steps() -> Self {
        Self {
            deadline: Duration::from_secs(10),
            host_calls: 100_000,
            handed_over: 32 * MIB,
            output: 8 * MIB,
            items: 10_000,
            ..Self::default()
        }
    }
}

/// What a plugin gets along with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Modesty {
    /// See [`Limits::deadline`].
    pub deadline: Option<Duration>,
    /// See [`Limits::memory`].
    pub memory: Option<usize>,
    /// See [`Limits::host_calls`].
    pub host_calls: Option<u32>,
}

/// What an environment wants it to get along with.
impl From<CallLimits> for Modesty {
    fn from(wanted: CallLimits) -> Self {
        let bytes = |mebibytes: u32| usize::try_from(mebibytes).unwrap_or(usize::MAX).saturating_mul(MIB);
        Self {
            deadline: wanted.deadline_ms.map(|millis| Duration::from_millis(millis.into())),
            memory: wanted.memory_mib.map(bytes),
            host_calls: wanted.host_calls,
        }
    }
}

impl Limits {
    /// The limits of a plugin that may get along with less.
    pub(super) fn lowered(self, modesty: Modesty) -> Self {
        Self {
            deadline: modesty.deadline.unwrap_or(self.deadline).min(self.deadline),
            memory: modesty.memory.unwrap_or(self.memory).min(self.memory),
            host_calls: modesty.host_calls.unwrap_or(self.host_calls).min(self.host_calls),
            ..self
        }
    }

    /// What calls may use if some of it is lowered, as text; nothing if that lowers nothing.
    pub(super) fn lowering(self, wanted: CallLimits) -> String {
        let lowered = self.lowered(wanted.into());
        if lowered == self {
            return String::new();
        }
        format!(" {} ms {} bytes {} calls", lowered.deadline.as_millis(), lowered.memory, lowered.host_calls)
    }
}

/// A limit a call went over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Exceeded {
    /// Memories and tables.
    #[error("it asked for more than {} MiB of memory", limit / MIB)]
    Memory {
        /// How much it may have.
        limit: usize,
        /// How much it asked for.
        found: usize,
    },
    /// Elements of one table.
    #[error("it asked for more than {limit} elements in a table")]
    Table {
        /// How many there may be.
        limit: usize,
        /// How many it asked for.
        found: usize,
    },
    /// Calls to imports.
    #[error("it made more than {limit} calls to the host")]
    HostCalls {
        /// How many it may make.
        limit: u32,
    },
    /// Time spent waiting for others.
    #[error("it had the host wait {} ms for others, and asked again", limit.as_millis())]
    Waiting {
        /// How long that may be.
        limit: Duration,
    },
    /// Bytes handed to imports.
    #[error("it handed more than {} KiB to the host", limit / KIB)]
    HandedOver {
        /// How much it may hand over.
        limit: usize,
        /// How much it handed over.
        found: usize,
    },
    /// Slugs of one text that is rendered.
    #[error("it had a text with more than {limit} slugs rendered")]
    Slugs {
        /// How many there may be.
        limit: usize,
    },
    /// Bytes of one text that is rendered.
    #[error("it had a text of more than {} KiB rendered", limit / KIB)]
    Text {
        /// How long it may be.
        limit: usize,
        /// How long it is.
        found: usize,
    },
    /// Bytes of a decision.
    #[error("its answer is larger than {} KiB", limit / KIB)]
    Output {
        /// How large it may be.
        limit: usize,
        /// How large it is, if anybody could look at it.
        found: Option<usize>,
    },
    /// Items of a decision.
    #[error("its answer names {found} items; at most {limit} are allowed")]
    Items {
        /// How many there are.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
    /// Trace lines and standard error, including those that were dropped.
    #[error("it went on writing beyond {} KiB of trace lines and standard error", limit / KIB)]
    Log {
        /// How much is kept.
        limit: usize,
        /// How much it wrote.
        found: usize,
    },
}

impl Exceeded {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Memory { .. } | Self::Table { .. } => "plugin.memory",
            Self::HostCalls { .. } | Self::HandedOver { .. } | Self::Slugs { .. } | Self::Text { .. } => {
                "plugin.host-calls"
            }
            Self::Waiting { .. } => "plugin.timeout",
            Self::Output { .. } | Self::Items { .. } => "plugin.output-limit",
            Self::Log { .. } => "plugin.log-limit",
        }
    }
}

/// What a call has used so far.
#[derive(Debug)]
pub(super) struct Meter {
    limits: Limits,
    memory: usize,
    host_calls: u32,
    handed_over: usize,
    waited: Duration,
    written: usize,
}

impl Meter {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, memory: 0, host_calls: 0, handed_over: 0, waited: Duration::ZERO, written: 0 }
    }

    /// Counts one call of an import that was handed `bytes` of text.
    pub(super) fn host_call(&mut self, bytes: usize) -> Result<(), Exceeded> {
        self.host_calls = self.host_calls.saturating_add(1);
        self.handed_over = self.handed_over.saturating_add(bytes);
        if self.host_calls > self.limits.host_calls {
            return Err(Exceeded::HostCalls { limit: self.limits.host_calls });
        }
        self.handed_over()
    }

    /// Counts `bytes` that came from outside.
    pub(super) fn came_in(&mut self, bytes: usize) -> Result<(), Exceeded> {
        self.handed_over = self.handed_over.saturating_add(bytes);
        self.handed_over()
    }

    /// How long the host may still wait for others.
    pub(super) fn may_wait(&self) -> Result<Duration, Exceeded> {
        let limit = self.limits.waiting;
        let left = limit.saturating_sub(self.waited);
        if left.is_zero() { Err(Exceeded::Waiting { limit }) } else { Ok(left) }
    }

    /// Counts time that the host waited for others.
    pub(super) fn waited(&mut self, time: Duration) {
        self.waited = self.waited.saturating_add(time);
    }

    /// How long the host waited for others.
    pub(super) fn time_waited(&self) -> Duration {
        self.waited
    }

    /// The longest processor time of the call.
    pub(super) fn deadline(&self) -> Duration {
        self.limits.deadline
    }

    fn handed_over(&self) -> Result<(), Exceeded> {
        if self.handed_over > self.limits.handed_over {
            return Err(Exceeded::HandedOver { limit: self.limits.handed_over, found: self.handed_over });
        }
        Ok(())
    }

    /// Counts `bytes` of log. More than is kept is dropped; too much of that is an error.
    pub(super) fn log(&mut self, bytes: usize) -> Result<(), Exceeded> {
        self.written = self.written.saturating_add(bytes);
        if self.written > self.limits.log.saturating_mul(LOG_PATIENCE) {
            return Err(Exceeded::Log { limit: self.limits.log, found: self.written });
        }
        Ok(())
    }

    /// What was used so far. Memory never shrinks, so what is there is what was there at most.
    pub(super) fn usage(&self, times: Times) -> Usage {
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
    fn a_plugin_gets_less_but_never_more() {
        let host = Limits { memory: 100, host_calls: 3, ..Limits::default() };
        let lowered = host.lowered(Modesty { deadline: None, memory: Some(50), host_calls: Some(9) });
        assert_eq!((lowered.deadline, lowered.memory, lowered.host_calls), (host.deadline, 50, 3));
    }

    #[test]
    fn an_environment_lowers_and_never_raises() {
        let declared = Limits { memory: 5 * MIB, host_calls: 7, ..Limits::default() };
        let wanted = CallLimits { deadline_ms: Some(10), memory_mib: Some(u32::MAX), host_calls: None };
        let expected = Limits { deadline: Duration::from_millis(10), ..declared };
        assert_eq!(declared.lowered(wanted.into()), expected);
        assert_eq!(declared.lowering(wanted), " 10 ms 5242880 bytes 7 calls");
        assert_eq!(declared.lowering(CallLimits { host_calls: Some(8), ..CallLimits::default() }), "");
        let less = CallLimits { memory_mib: Some(4), host_calls: Some(6), ..CallLimits::default() };
        assert_eq!(declared.lowered(less.into()), Limits { memory: 4 * MIB, host_calls: 6, ..declared });
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
