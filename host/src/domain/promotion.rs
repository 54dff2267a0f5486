//! Promotion: the condition that a version must meet before it becomes active.
//!
//! Says which differences are expected. Leaves the comparison of versions to others.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Problems;

/// The condition that a version of a plugin must meet before it answers any person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Promotion {
    /// The gate that the version must pass.
    pub gate: Gate,
    /// The number of recorded calls that the comparison needs, at least one if the gate is `recordings`. Equal calls
    /// are recorded once.
    #[schema(maximum = 2_000)]
    pub recordings: u32,
}

/// The gate before a version becomes active.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = PromotionGate)]
pub enum Gate {
    /// Nothing.
    #[default]
    Open,
    /// Over the recorded calls, the version must decide like the active one, except for expected differences.
    Recordings,
}

/// The field of the difference that the other version breaks, or breaks with another fault.
pub const FAULT: &str = "fault";

/// The field of the difference that the active version breaks, and the other does not.
pub const FAULT_GONE: &str = "fault-gone";

/// The field of the difference that the other version does not decide about the tool.
pub const UNDECIDED: &str = "undecided";

/// Most recorded calls that versions are compared by: the newest.
pub const CORPUS: u32 = 2_000;

/// An expected difference. An attribute that is left out matches any value, except that a version that breaks or no
/// longer decides must be named as the field.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Expected {
    /// For people of this profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// About tools of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// In this field of a decision or below it, as a path such as `payload.available`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

impl Promotion {
    /// Tells whether there is no condition.
    pub fn is_open(&self) -> bool {
        self.gate == Gate::Open
    }

    /// Refuses a number of recordings out of range.
    pub(super) fn check(self, problems: &mut Problems) {
        if !self.is_open() && !(1..=CORPUS).contains(&self.recordings) {
            problems.refuse("promotion.recordings", format!("between 1 and {CORPUS} recordings can be asked for"));
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { profile, tool, field } = self;
        write!(f, "{}", field.as_deref().unwrap_or("any field"))?;
        tool.iter().try_for_each(|tool| write!(f, " of {tool}"))?;
        profile.iter().try_for_each(|profile| write!(f, " for {profile}"))
    }
}

impl Expected {
    /// Tells whether the difference is expected.
    pub fn covers(&self, profile: &str, tool: &str, field: &str) -> bool {
        let below = |outer: &String| {
            field.strip_prefix(outer.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.profile.as_deref().is_none_or(|it| it == profile)
            && self.tool.as_deref().is_none_or(|it| it == tool)
            && self.field.as_ref().map_or(field != FAULT && field != UNDECIDED, below)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_said_is_meant() {
        let expected = |profile: Option<&str>, tool: Option<&str>, field: Option<&str>| {
            let [profile, tool, field] = [profile, tool, field].map(|it| it.map(str::to_owned));
            Expected { profile, tool, field }
        };
        for (meant, covered) in [
            (expected(None, None, None), true),
            (expected(Some("rep"), Some("macros"), Some("payload.available")), true),
            (expected(None, None, Some("payload")), true),
            (expected(None, None, Some("payload.avail")), false),
            (expected(None, None, Some("payload.available.0")), false),
            (expected(Some("lead"), None, None), false),
            (expected(None, Some("scripts"), None), false),
        ] {
            assert_eq!(meant.covers("rep", "macros", "payload.available"), covered, "{meant:?}");
        }
        assert!(
            !expected(None, None, None).covers("rep", "macros", FAULT),
            "a difference that leaves all out does not expect a fault"
        );
        assert!(expected(None, None, Some(FAULT)).covers("rep", "macros", FAULT));
        assert!(!expected(None, None, None).covers("rep", "macros", UNDECIDED));
        assert!(
            !expected(None, None, Some(FAULT_GONE)).covers("rep", "macros", FAULT),
            "a repair is no leave to break"
        );
    }
}
