//! What a component came to, in a form that can be kept and compared.
//!
//! Of two calls that broke only the code counts; of all others every byte.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::domain::comparison::FieldDifference;
use crate::domain::experience::ToolFault;
use crate::domain::{FAULT, FAULT_GONE, RecordedStatus};
use crate::pipeline::{Outcome, Proposal, Rejection, StepFault};
use crate::resolve::{Decision, ItemReference};
use crate::upgrade::attribute_changes;

use crate::plugin::limits::call_error::CallError;
use crate::plugin::worlds::amendment::Amendment;

/// What a rule or a step came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Answer {
    /// A rule shows the tool, or a step after it has another decision made of it.
    Shown {
        /// For the control that draws it.
        payload: Map<String, Value>,
        /// The library items the payload names.
        items: Vec<ItemReference>,
    },
    /// The tool is hidden.
    Hidden {
        /// A stable code.
        code: String,
        /// One sentence.
        text: String,
    },
    /// A step around a rule changes nothing.
    Agreed,
    /// A step before a rule has other settings given to it.
    Amended {
        /// The settings.
        settings: Map<String, Value>,
    },
    /// A step lets a change of configuration go on.
    Proceeds {
        /// What it wants different.
        patches: Vec<ProposedPatch>,
        /// What later steps shall find, as JSON by key.
        shared: Vec<(String, String)>,
    },
    /// A step refuses a change of configuration.
    Rejected {
        /// The step's own code.
        code: String,
        /// One sentence.
        message: String,
        /// The attribute that is wrong; empty if it is no single one.
        attribute: String,
    },
    /// It broke.
    Failed {
        /// A stable code.
        code: String,
        /// One sentence.
        message: String,
    },
}

/// What a step wants different in one target of a change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProposedPatch {
    /// The place of the target in the event.
    pub target: usize,
    /// A merge patch.
    pub patch: Value,
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

    /// Whether two calls came to the same. Of calls that broke only the code counts: a sentence may say how long
    /// something took.
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
            _ if self.status() != other.status() => {
                one("status", Some(self.status().as_str()), Some(other.status().as_str()))
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

    /// How the call ended.
    pub fn status(&self) -> RecordedStatus {
        match self {
            Self::Shown { .. } => RecordedStatus::Shown,
            Self::Hidden { .. } => RecordedStatus::Hidden,
            Self::Agreed => RecordedStatus::Agreed,
            Self::Amended { .. } => RecordedStatus::Amended,
            Self::Proceeds { .. } => RecordedStatus::Proceeds,
            Self::Rejected { .. } => RecordedStatus::Rejected,
            Self::Failed { .. } => RecordedStatus::Failed,
        }
    }

    fn fault(&self) -> Option<&str> {
        match self {
            Self::Failed { code, .. } => Some(code),
            _ => None,
        }
    }
}

impl From<&Result<Decision, ToolFault>> for Answer {
    fn from(outcome: &Result<Decision, ToolFault>) -> Self {
        match outcome.clone() {
            Ok(decision) => decision.into(),
            Err(ToolFault { code, message, .. }) => Self::Failed { code, message },
        }
    }
}

impl From<&Result<Amendment, ToolFault>> for Answer {
    fn from(answer: &Result<Amendment, ToolFault>) -> Self {
        match answer {
            Ok(amendment) => amendment.into(),
            Err(ToolFault { code, message, .. }) => Self::Failed { code: code.clone(), message: message.clone() },
        }
    }
}

impl From<&Amendment> for Answer {
    fn from(amendment: &Amendment) -> Self {
        match amendment.clone() {
            Amendment::Nothing => Self::Agreed,
            Amendment::Settings { settings, .. } => {
                Self::Amended { settings: serde_json::from_str(&settings).unwrap_or_default() }
            }
            Amendment::Decision { decision, .. } => decision.into(),
            Amendment::Hide { code, text } => Self::Hidden { code, text },
        }
    }
}

impl From<&Result<Outcome, StepFault>> for Answer {
    fn from(answer: &Result<Outcome, StepFault>) -> Self {
        match answer {
            Ok(outcome) => outcome.into(),
            Err(StepFault { code, message, .. }) => Self::Failed { code: code.clone(), message: message.clone() },
        }
    }
}

impl From<&Outcome> for Answer {
    fn from(outcome: &Outcome) -> Self {
        match outcome.clone() {
            Outcome::Proceed(Proposal { patches, shared }) => {
                let patches = patches.into_iter().map(|(target, patch)| ProposedPatch { target, patch }).collect();
                Self::Proceeds { patches, shared }
            }
            Outcome::Reject(Rejection { code, message, attribute }) => Self::Rejected { code, message, attribute },
        }
    }
}

impl From<Decision> for Answer {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Shown { payload, items } => Self::Shown { payload, items },
            Decision::Hidden { code, text } => Self::Hidden { code, text },
        }
    }
}

impl From<&CallError> for Answer {
    fn from(error: &CallError) -> Self {
        Self::Failed { code: error.code().to_owned(), message: error.to_string() }
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
