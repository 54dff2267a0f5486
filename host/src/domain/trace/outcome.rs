//! How a call ended.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! outcomes {
    ($($(#[$doc:meta])* $outcome:ident = $name:literal;)+) => {
        /// How a call ended.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(rename_all = "kebab-case")]
        #[schema(as = TraceOutcome)]
        pub enum Outcome { $($(#[$doc])* $outcome),+ }

        impl Outcome {
            /// Every outcome.
            pub const ALL: &[Self] = &[$(Self::$outcome),+];

            /// The name on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$outcome => $name),+ }
            }
        }
    };
}

outcomes! {
    /// The plugin answered.
    Succeeded = "succeeded";
    /// The plugin rejected the change, with a message for a person.
    Rejected = "rejected";
    /// The plugin returned an error.
    Failed = "failed";
    /// The plugin trapped.
    Trapped = "trapped";
    /// The plugin ran past its deadline.
    Timeout = "timeout";
    /// The plugin asked for more memory than its limit.
    Memory = "memory";
    /// The plugin called the host too often, or handed over too many bytes.
    HostCalls = "host-calls";
    /// The plugin's answer is too large.
    OutputLimit = "output-limit";
    /// The plugin went on writing its log beyond the limit.
    LogLimit = "log-limit";
    /// The plugin's answer is invalid.
    Invalid = "invalid";
    /// The host was too busy to call the plugin.
    Busy = "busy";
    /// The plugin was not called, because its circuit breaker was open.
    Suspended = "suspended";
}

/// The refusal of a name that no outcome has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no outcome: use one of {known}", known = names())]
pub struct UnknownOutcome(String);

fn names() -> String {
    Outcome::ALL.iter().map(|outcome| outcome.as_str()).collect::<Vec<_>>().join(", ")
}

impl Outcome {
    /// Tells whether the plugin did its work: it answered or rejected.
    pub fn is_success(self) -> bool {
        matches!(self, Self::Succeeded | Self::Rejected)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Outcome {
    type Err = UnknownOutcome;

    fn from_str(typed: &str) -> Result<Self, UnknownOutcome> {
        let found = Self::ALL.iter().find(|outcome| outcome.as_str() == typed);
        found.copied().ok_or_else(|| UnknownOutcome(typed.chars().take(100).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_on_the_wire_are_those_that_are_typed() {
        for outcome in Outcome::ALL {
            assert_eq!(serde_json::to_value(outcome).unwrap(), outcome.as_str());
            assert_eq!(outcome.as_str().parse(), Ok(*outcome));
        }
        let refused = "broken".parse::<Outcome>().unwrap_err().to_string();
        assert!(refused.starts_with("`broken` is no outcome: use one of succeeded, rejected, failed,"), "{refused}");
    }
}
