//! Duties: the tool kinds a plugin answers for.
//!
//! While a plugin does not answer, tools of these kinds are hidden, because its rule or its steps might have hidden
//! them. Only where a step that may be skipped is missing, the tool stays with a warning.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::plugin::is_plugin_name;
use super::*;

/// Most tool kinds that one plugin answers for. A manifest has room for fewer.
pub const DUTIES_MAX: usize = 4_096;

/// The tool kinds a plugin answers for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Duties {
    /// Kinds that its rule decides about.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub rules: BTreeSet<String>,
    /// Kinds with a step of the plugin around their rule, without which no answer may be given (`onFault` is `abort`).
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub guards: BTreeSet<String>,
    /// Kinds with a step of the plugin around their rule that may be skipped (`onFault` is `skip`).
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub steps: BTreeSet<String>,
}

impl Duties {
    /// Tells whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// Counts the duties.
    pub fn count(&self) -> usize {
        self.rules.len() + self.guards.len() + self.steps.len()
    }

    /// Adds the duties of `other`.
    pub fn add(&mut self, other: Self) {
        self.rules.extend(other.rules);
        self.guards.extend(other.guards);
        self.steps.extend(other.steps);
    }

    /// Removes the duties of `other`. Removes a kind from the guards and the steps if `other` has either for the kind.
    pub fn subtract(&mut self, other: &Self) {
        self.rules.retain(|kind| !other.rules.contains(kind));
        self.guards.retain(|kind| !other.guards.contains(kind) && !other.steps.contains(kind));
        self.steps.retain(|kind| !other.guards.contains(kind) && !other.steps.contains(kind));
    }

    /// Refuses duties that no manifest can declare.
    pub(crate) fn check(&self, attribute: &str, problems: &mut Problems) {
        let all = [("rules", &self.rules), ("guards", &self.guards), ("steps", &self.steps)];
        let count = self.count();
        if count > DUTIES_MAX {
            problems.refuse(
                attribute,
                format!("{count} tool kinds are too many: a plugin answers for {DUTIES_MAX} at most"),
            );
        }
        for (part, kinds) in all {
            if let Some(kind) = kinds.iter().find(|kind| !is_plugin_name(kind)) {
                let shown: String = kind.chars().take(100).collect();
                problems
                    .refuse(format!("{attribute}.{part}"), format!("`{shown}` is no tool kind: use a-z, 0-9 and `-`"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> BTreeSet<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn duties(rules: &str, guards: &str, steps: &str) -> Duties {
        Duties { rules: kinds(rules), guards: kinds(guards), steps: kinds(steps) }
    }

    #[test]
    fn what_a_version_takes_over_is_no_duty_of_the_one_before_any_more() {
        let mut left = duties("a b", "c d e", "f g");
        left.subtract(&duties("b", "d f", "e"));
        assert_eq!(left, duties("a", "c", "g"));
        left.add(duties("b", "", "h"));
        assert_eq!(left, duties("a b", "c", "g h"));
        assert!(!left.is_empty() && Duties::default().is_empty());
    }

    #[test]
    fn duties_are_tool_kinds_and_not_too_many() {
        let said = |duties: &Duties| {
            let mut problems = Problems::default();
            duties.check("answersFor", &mut problems);
            problems.0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        };
        assert_eq!(said(&duties("a", "b-c", "d1")), "");
        insta::assert_snapshot!(said(&duties("Macros", "", "x/y")), @"`answersFor.rules`: `Macros` is no tool kind: use a-z, 0-9 and `-`; `answersFor.steps`: `x/y` is no tool kind: use a-z, 0-9 and `-`");
        let many = Duties { rules: (0..=DUTIES_MAX).map(|at| format!("k{at}")).collect(), ..Duties::default() };
        insta::assert_snapshot!(said(&many), @"`answersFor`: 4097 tool kinds are too many: a plugin answers for 4096 at most");
    }
}
