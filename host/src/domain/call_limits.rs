//! Limits of calls as an environment wants them: never more than a plugin declares and the host gives.

use serde::{Deserialize, Serialize};

use super::Problems;

/// What a call of a plugin may use here, where that is less than it would have. What is left out stays as it is, and so does what is
/// lower already.
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
    /// Whether nothing is lowered.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Refuses what would leave a call nothing at all. `attribute` is where the limits are.
    pub fn check(&self, attribute: &str, problems: &mut Problems) {
        let named = [("deadlineMs", self.deadline_ms), ("memoryMib", self.memory_mib), ("hostCalls", self.host_calls)];
        for (name, _) in named.into_iter().filter(|(_, limit)| *limit == Some(0)) {
            problems.refuse(format!("{attribute}.{name}"), "at least 1 is needed: switch off what should not be asked");
        }
    }
}
