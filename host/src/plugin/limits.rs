//! What one call may use, and the counting of what it did use.

use std::time::Duration;

use wasmtime::ResourceLimiter;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// Going on to write this many times the cap ends the call.
const LOG_PATIENCE: usize = 4;

/// What one call may use. The defaults are those of `wit/README.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest time, from before the instance is made.
    pub deadline: Duration,
    /// Bytes of all memories and tables of the call together.
    pub memory: usize,
    /// Calls to imports.
    pub host_calls: u32,
    /// Bytes handed to imports in all calls together. They may end up in the record of reads.
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
            memory: 32 * MIB,
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
}

/// A limit a call went over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Exceeded {
    /// Memories and tables.
    #[error("it asked for more than {} MiB of memory", .0 / MIB)]
    Memory(usize),
    /// Calls to imports.
    #[error("it made more than {0} calls to the host")]
    HostCalls(u32),
    /// Bytes handed to imports.
    #[error("it handed more than {} KiB to the host", .0 / KIB)]
    HandedOver(usize),
    /// Bytes of a decision.
    #[error("its answer is larger than {} KiB", .0 / KIB)]
    Output(usize),
    /// Items of a decision.
    #[error("its answer names {found} items; at most {limit} are allowed")]
    Items {
        /// How many there are.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
    /// Trace lines and standard error, including those that were dropped.
    #[error("it went on writing beyond {} KiB of trace lines and standard error", .0 / KIB)]
    Log(usize),
}

impl Exceeded {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Memory(_) => "plugin.memory",
            Self::HostCalls(_) | Self::HandedOver(_) => "plugin.host-calls",
            Self::Output(_) | Self::Items { .. } => "plugin.output-limit",
            Self::Log(_) => "plugin.log-limit",
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
    written: usize,
    kept: usize,
    dropped: u32,
}

impl Meter {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, memory: 0, host_calls: 0, handed_over: 0, written: 0, kept: 0, dropped: 0 }
    }

    /// Counts one call of an import that was handed `bytes` of text.
    pub(super) fn host_call(&mut self, bytes: usize) -> Result<(), Exceeded> {
        self.host_calls = self.host_calls.saturating_add(1);
        self.handed_over = self.handed_over.saturating_add(bytes);
        if self.host_calls > self.limits.host_calls {
            return Err(Exceeded::HostCalls(self.limits.host_calls));
        }
        if self.handed_over > self.limits.handed_over {
            return Err(Exceeded::HandedOver(self.limits.handed_over));
        }
        Ok(())
    }

    /// Whether `bytes` more of log still fit. What does not fit is dropped; too much of that is an error.
    pub(super) fn log(&mut self, bytes: usize) -> Result<bool, Exceeded> {
        self.written = self.written.saturating_add(bytes);
        if self.written > self.limits.log.saturating_mul(LOG_PATIENCE) {
            return Err(Exceeded::Log(self.limits.log));
        }
        let fits = self.kept.saturating_add(bytes) <= self.limits.log;
        if fits {
            self.kept += bytes;
        } else {
            self.dropped += 1;
        }
        Ok(fits)
    }

    /// How many pieces of log were dropped.
    pub(super) fn dropped(&self) -> u32 {
        self.dropped
    }

    fn grow(&mut self, from: usize, to: usize, maximum: Option<usize>) -> Result<bool, Exceeded> {
        if maximum.is_some_and(|maximum| to > maximum) {
            return Ok(false);
        }
        let total = self.memory.saturating_add(to.saturating_sub(from));
        if total > self.limits.memory {
            return Err(Exceeded::Memory(self.limits.memory));
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
    fn memories_and_tables_share_one_limit() {
        let mut meter = meter();
        assert!(meter.memory_growing(0, 40, None).unwrap());
        assert!(meter.memory_growing(0, 40, None).unwrap());
        assert!(meter.memory_growing(40, 50, None).unwrap());
        assert!(meter.table_growing(0, 1, None).unwrap());
        let refused = meter.table_growing(1, 2, None).unwrap_err();
        assert_eq!(refused.downcast_ref(), Some(&Exceeded::Memory(100)));
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
        assert_eq!(counted, [Ok(()), Ok(()), Ok(()), Err(Exceeded::HostCalls(3))]);
        let mut text = meter();
        assert_eq!([text.host_call(10), text.host_call(1)], [Ok(()), Err(Exceeded::HandedOver(10))]);
    }

    #[test]
    fn a_line_that_does_not_fit_is_dropped_and_a_flood_ends_the_call() {
        let mut meter = meter();
        let fits: Vec<_> = [8, 8, 2, 8, 8, 7].map(|bytes| meter.log(bytes)).into();
        let ended = Err(Exceeded::Log(10));
        assert_eq!(fits, [Ok(true), Ok(false), Ok(true), Ok(false), Ok(false), ended]);
        assert_eq!(meter.dropped(), 3);
    }
}
