//! A call made once more: nobody waits for it, no record says so, and no breaker hears of it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::domain::comparison::FieldDifference;
use crate::domain::experience::ToolFault;
use crate::domain::{FAULT, FAULT_GONE};
use crate::resolve::{Decision, ItemReference, Journal, Reads};
use crate::upgrade::attribute_changes;

use super::workshop::{Part, Ready, Workshop};

/// The code of a call that read what the journal has no answer to.
pub const UNRECORDED: &str = "replay.unrecorded";

/// What a rule came to, in a form that can be kept and compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Answer {
    /// It shows the tool.
    Shown {
        /// For the control that draws it.
        payload: Map<String, Value>,
        /// The library items the payload names.
        items: Vec<ItemReference>,
    },
    /// It hides the tool.
    Hidden {
        /// A stable code.
        code: String,
        /// One sentence.
        text: String,
    },
    /// It broke.
    Failed {
        /// A stable code.
        code: String,
        /// One sentence.
        message: String,
    },
}

/// What came of a call that was made once more.
#[derive(Debug, Clone, PartialEq)]
pub struct Replayed {
    /// What the rule came to.
    pub answer: Answer,
    /// What it asked the host.
    pub journal: Journal,
}

impl Answer {
    /// Whether it broke.
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Failed { .. })
    }

    /// Whether the call was not made for want of room, or not at all. It says nothing about the rule then.
    pub fn says_nothing(&self) -> bool {
        self.fault().is_some_and(Self::is_no_answer)
    }

    /// Whether a fault of this code is no answer of the rule.
    pub fn is_no_answer(code: &str) -> bool {
        matches!(code, "plugin.busy" | "plugin.suspended" | "plugin.not-ready")
    }

    /// Whether two calls came to the same. Of calls that broke only the code counts: a sentence may say how long something took.
    pub fn agrees_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Failed { code, .. }, Self::Failed { code: other, .. }) => code == other,
            _ => self.bytes() == other.bytes(),
        }
    }

    /// What a person gets of it: the order of members counts.
    fn bytes(&self) -> String {
        json!(self).to_string()
    }

    /// The fields in which `other` differs from this one.
    pub fn differences(&self, other: &Self) -> Vec<FieldDifference> {
        let one = |field: &str, before: Option<&str>, after: Option<&str>| {
            let [before, after] = [before, after].map(|it| it.map(Value::from));
            vec![FieldDifference { field: field.to_owned(), before, after }]
        };
        match (self, other) {
            _ if self.agrees_with(other) => Vec::new(),
            (_, Self::Failed { .. }) => one(FAULT, self.fault(), other.fault()),
            (Self::Failed { .. }, _) => one(FAULT_GONE, self.fault(), other.fault()),
            (Self::Shown { .. }, Self::Hidden { .. }) | (Self::Hidden { .. }, Self::Shown { .. }) => {
                one("status", Some(self.status()), Some(other.status()))
            }
            _ => {
                let changes = attribute_changes(&json!(self), &json!(other));
                let fields: Vec<_> = changes
                    .into_iter()
                    .map(|change| FieldDifference { field: change.path, before: change.before, after: change.after })
                    .collect();
                // Equal values in another order: what a person gets differs in its bytes.
                if fields.is_empty() { one("order", None, None) } else { fields }
            }
        }
    }

    /// `shown`, `hidden` or `failed`.
    pub fn status(&self) -> &'static str {
        match self {
            Self::Shown { .. } => "shown",
            Self::Hidden { .. } => "hidden",
            Self::Failed { .. } => "failed",
        }
    }

    fn fault(&self) -> Option<&str> {
        match self {
            Self::Failed { code, .. } => Some(code),
            Self::Shown { .. } | Self::Hidden { .. } => None,
        }
    }
}

impl From<&Result<Decision, ToolFault>> for Answer {
    fn from(outcome: &Result<Decision, ToolFault>) -> Self {
        match outcome.clone() {
            Ok(Decision::Shown { payload, items }) => Self::Shown { payload, items },
            Ok(Decision::Hidden { code, text }) => Self::Hidden { code, text },
            Err(ToolFault { code, message, .. }) => Self::Failed { code, message },
        }
    }
}

impl Workshop {
    /// Asks the rule of a component. Nothing if it has none.
    pub fn replay(&self, ready: &Ready, settings: &str, reads: Reads) -> Option<Replayed> {
        let Part::Rule(plugin) = &ready.part else { return None };
        let (outcome, reads) = plugin.rehearse(self.engine(), settings, reads.with_journal());
        let outcome = outcome.map_err(|error| ToolFault {
            code: error.code().to_owned(),
            message: error.to_string(),
            plugin: ready.manifest().full_name(),
            version: ready.manifest().version.to_string(),
            trace: None,
        });
        let answer = match reads.unrecorded {
            Some(read) => Answer::Failed {
                code: UNRECORDED.to_owned(),
                message: format!("it asked `{read}`, which the recorded call did not"),
            },
            None => Answer::from(&outcome),
        };
        Some(Replayed { answer, journal: reads.journal.unwrap_or_default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_named_by_field() {
        let parse = |text: &str| serde_json::from_str::<Answer>(text).unwrap();
        let shown = r#"{"status":"shown","payload":{"a":{"b":1,"c":[1]}},"items":[]}"#;
        let hidden = r#"{"status":"hidden","code":"none","text":"nothing"}"#;
        let failed = r#"{"status":"failed","code":"plugin.timeout","message":"after 50 ms"}"#;
        for (one, other, expected) in [
            (shown, shown, ""),
            (shown, r#"{"status":"shown","payload":{"a":{"b":2,"c":[1]},"d":0},"items":[]}"#, "payload.a.b payload.d"),
            (shown, r#"{"status":"shown","payload":{"a":{"c":[1],"b":1}},"items":[]}"#, "order"),
            (shown, hidden, "status"),
            (hidden, r#"{"status":"hidden","code":"none","text":"no script"}"#, "text"),
            (shown, failed, "fault"),
            (failed, shown, "fault-gone"),
            (failed, r#"{"status":"failed","code":"plugin.timeout","message":"after 51 ms"}"#, ""),
            (failed, r#"{"status":"failed","code":"plugin.trapped","message":"it trapped"}"#, "fault"),
        ] {
            let (one, other) = (parse(one), parse(other));
            let found: Vec<String> = one.differences(&other).into_iter().map(|it| it.field).collect();
            assert_eq!(found.join(" "), expected);
            assert_eq!(one.agrees_with(&other), expected.is_empty());
        }
    }
}
