//! The limits of calls that an environment sets: never more than a plugin declares and the host allows.

use serde::{Deserialize, Serialize};

use super::Problems;

/// Limits that an environment lowers for calls of a plugin. A limit that is left out, or that is lower already, stays
/// as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct CallLimits {
    /// Longest processor time, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub deadline_ms: Option<u32>,
    /// Memory, in mebibytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub memory_mib: Option<u32>,
    /// Calls to imports.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub host_calls: Option<u32>,
}

impl CallLimits {
    /// Tells whether no limit is lowered.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Refuses a limit of zero. `attribute` is the path of the limits.
    pub fn check(&self, attribute: &str, problems: &mut Problems) {
        let named = [("deadlineMs", self.deadline_ms), ("memoryMib", self.memory_mib), ("hostCalls", self.host_calls)];
        for (name, _) in named.into_iter().filter(|(_, limit)| *limit == Some(0)) {
            problems.refuse(format!("{attribute}.{name}"), "at least 1 is needed: to stop the calls, switch it off");
        }
    }
}
