//! Promotion: what a version has to show before it serves.
//!
//! Says which differences were meant. What differs is found out elsewhere.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Problems;

/// What a version of a plugin has to show before it serves anybody.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Promotion {
    /// What it is compared by.
    pub gate: Gate,
    /// How many recorded questions there must be to compare it by, at least one if that is the gate. The same question is
    /// recorded once, however often it is asked.
    #[schema(maximum = 2_000)]
    pub recordings: u32,
}

/// What stands before a version that shall serve.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = PromotionGate)]
pub enum Gate {
    /// Nothing.
    #[default]
    Open,
    /// Over what was recorded it must decide as the version that serves, but for what was said to be meant.
    Recordings,
}

/// The field of a difference that says that the other version breaks, or breaks otherwise.
pub const FAULT: &str = "fault";

/// The field of a difference that says that the version that serves breaks, and the other does not.
pub const FAULT_GONE: &str = "fault-gone";

/// The field of a difference that says that the other version does not decide about the tool.
pub const UNDECIDED: &str = "undecided";

/// Most recorded questions that versions are compared by: the newest.
pub const CORPUS: u32 = 2_000;

/// A difference that is meant. What is left out may be anything, but that a version breaks or decides no more has to be said.
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
    /// Whether anything has to be shown.
    pub fn is_open(&self) -> bool {
        self.gate == Gate::Open
    }

    /// Refuses what makes no sense.
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
    /// Whether a difference is meant.
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
        assert!(!expected(None, None, None).covers("rep", "macros", FAULT), "nobody means that by saying nothing");
        assert!(expected(None, None, Some(FAULT)).covers("rep", "macros", FAULT));
        assert!(!expected(None, None, None).covers("rep", "macros", UNDECIDED));
        assert!(
            !expected(None, None, Some(FAULT_GONE)).covers("rep", "macros", FAULT),
            "a repair is no leave to break"
        );
    }
}
