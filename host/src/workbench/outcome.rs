//! What came of a case, in the words of its file.

use serde_json::{Value, json};

use crate::domain::trace::{LogLevel, LogText};
use crate::plugin::{Answer, CallError};
use crate::resolve::ItemReference;

/// The answer of a rule as a case would expect it. A fault the rule itself answers with goes by its own code.
pub(super) fn outcome(answer: &Result<Answer, CallError>, text: &LogText) -> Value {
    let mut outcome = match answer {
        Ok(Answer::Shown { payload, items }) => shown(payload, items),
        Ok(Answer::Hidden { code, .. }) => json!({ "hidden": code }),
        Ok(Answer::Failed { code, .. }) => json!({ "fault": code }),
        Ok(other) => json!(other),
        Err(CallError::Failed { code, .. }) => json!({ "fault": code }),
        Err(error) => json!({ "fault": error.code() }),
    };
    let warnings = text.lines.iter().filter(|line| line.level == LogLevel::Warning);
    let warnings: Vec<&str> = warnings.map(|line| line.text.as_str()).collect();
    if !warnings.is_empty() {
        outcome["warnings"] = json!(warnings);
    }
    outcome
}

fn shown(payload: &serde_json::Map<String, Value>, items: &[ItemReference]) -> Value {
    let mut outcome = json!({ "shown": payload });
    for ItemReference { kind, name } in items {
        match outcome["items"][kind].as_array_mut() {
            Some(names) => names.push(json!(name)),
            None => outcome["items"][kind] = json!([name]),
        }
    }
    outcome
}
