//! What one call may use, and the counting of what it did use.

use std::time::Duration;

use crate::domain::CallLimits;

use super::weight::Weight;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

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
    /// Bytes handed to imports in all calls together, which may end up in the record of reads, and bytes that came from
    /// outside.
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
    /// What one call of a step in a change of configuration may use: an administrator waits for it, and it may be about
    /// many items.
    pub fn of_configuration_steps() -> Self {
        Self { deadline: Duration::from_secs(1), handed_over: 8 * MIB, output: 4 * MIB, ..Self::default() }
    }

    /// Returns what one call of an upgrade step may use: no person waits for a page, and a page is larger than a
    /// question.
    pub fn of_upgrade_steps() -> Self {
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
pub struct LoweredLimits {
    /// See [`Limits::deadline`].
    pub deadline: Option<Duration>,
    /// See [`Limits::memory`].
    pub memory: Option<usize>,
    /// See [`Limits::host_calls`].
    pub host_calls: Option<u32>,
}

/// What an environment wants it to get along with.
impl From<CallLimits> for LoweredLimits {
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
    /// These limits, which are said for light components, for a component of `weight`. An interpreter takes some
    /// milliseconds to start, and ten times as long as compiled code from then on.
    pub(in crate::plugin) fn for_weight(self, weight: Weight) -> Self {
        match weight {
            Weight::Light => self,
            Weight::Heavy => Self {
                deadline: self.deadline.max(Duration::from_millis(250)),
                memory: self.memory.max(weight.memory()),
                ..self
            },
        }
    }

    /// The limits of a plugin that may get along with less.
    pub(in crate::plugin) fn lowered(self, lowered: LoweredLimits) -> Self {
        Self {
            deadline: lowered.deadline.unwrap_or(self.deadline).min(self.deadline),
            memory: lowered.memory.unwrap_or(self.memory).min(self.memory),
            host_calls: lowered.host_calls.unwrap_or(self.host_calls).min(self.host_calls),
            ..self
        }
    }

    /// What calls may use if some of it is lowered, as text; nothing if that lowers nothing.
    pub(in crate::plugin) fn lowering(self, wanted: CallLimits) -> String {
        let lowered = self.lowered(wanted.into());
        if lowered == self {
            return String::new();
        }
        format!(" {} ms {} bytes {} calls", lowered.deadline.as_millis(), lowered.memory, lowered.host_calls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_gets_less_but_never_more() {
        let host = Limits { memory: 100, host_calls: 3, ..Limits::default() };
        let lowered = host.lowered(LoweredLimits { deadline: None, memory: Some(50), host_calls: Some(9) });
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
    fn heavy_components_have_more_and_never_less() {
        let (light, long) = (Limits::default(), Limits::of_upgrade_steps());
        assert_eq!(light.for_weight(Weight::Light), light);
        let expected = Limits { deadline: Duration::from_millis(250), memory: 128 * MIB, ..light };
        assert_eq!(light.for_weight(Weight::Heavy), expected);
        assert_eq!(long.for_weight(Weight::Heavy), Limits { memory: 128 * MIB, ..long });
    }
}
