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
    /// It answered.
    Succeeded = "succeeded";
    /// It said no, in words meant for a person.
    Rejected = "rejected";
    /// It answered that it could not answer.
    Failed = "failed";
    /// It stopped with an error.
    Trapped = "trapped";
    /// It ran past its deadline.
    Timeout = "timeout";
    /// It wanted more memory than it may have.
    Memory = "memory";
    /// It called the host too often, or handed it too much.
    HostCalls = "host-calls";
    /// Its answer is too large.
    OutputLimit = "output-limit";
    /// It went on writing its log.
    LogLimit = "log-limit";
    /// Its answer is none.
    Invalid = "invalid";
    /// The host was too busy to ask it.
    Busy = "busy";
    /// It was not asked, because it broke too often before.
    Suspended = "suspended";
}

/// No outcome has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no outcome: use one of {known}", known = names())]
pub struct UnknownOutcome(String);

fn names() -> String {
    Outcome::ALL.iter().map(|outcome| outcome.as_str()).collect::<Vec<_>>().join(", ")
}

impl Outcome {
    /// Whether the plugin did what it was asked.
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
