//! The outcome of a case, in the words of its file.

use serde_json::{Map, Value, json};

use crate::domain::RowKey;
use crate::domain::trace::{LogLevel, LogText};
use crate::pipeline::{Outcome, Proposal, Rejection};
use crate::plugin::{CallError, Examined, Reply, StepProposal};
use crate::resolve::{Decision, ItemReference};
use crate::upgrade::{Migration, Upsert};

use super::rejection::Disbelief;

/// Returns the answer of a component as a case would expect it. A fault that the component itself answers with has its
/// own code.
pub(super) fn outcome(call: &Examined, disbelief: Option<&Disbelief>) -> Value {
    let mut outcome = match (&call.answer, disbelief) {
        (_, Some(disbelief)) => json!({ "fault": disbelief.code }),
        (Ok(Reply::Decision(Decision::Shown { payload, items })), _) => with_items(json!({ "shown": payload }), items),
        (Ok(Reply::Decision(Decision::Hidden { code, .. })), _) => json!({ "hidden": code }),
        (Ok(Reply::Outcome(outcome)), _) => of_change(outcome),
        (Ok(Reply::StepProposal(wish)), _) => of_wish(wish),
        (Ok(Reply::Migration(migration)), _) => of_migration(migration),
        (Err(CallError::Failed { code, .. }), _) => json!({ "fault": code }),
        (Err(error), _) => json!({ "fault": error.code() }),
    };
    let LogText { lines, .. } = &call.text;
    let warnings = lines.iter().filter(|line| line.level == LogLevel::Warning);
    let warnings: Vec<&str> = warnings.map(|line| line.text.as_str()).collect();
    if !warnings.is_empty() {
        outcome["warnings"] = json!(warnings);
    }
    outcome
}

fn with_items(mut outcome: Value, items: &[ItemReference]) -> Value {
    for ItemReference { kind, name } in items {
        match outcome["items"][kind].as_array_mut() {
            Some(names) => names.push(json!(name)),
            None => outcome["items"][kind] = json!([name]),
        }
    }
    outcome
}

/// Returns the outcome of a configuration step. Several patches of one target are a list.
fn of_change(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Reject(Rejection { code, attribute, .. }) if attribute.is_empty() => json!({ "reject": code }),
        Outcome::Reject(Rejection { code, attribute, .. }) => json!({ "reject": code, "attribute": attribute }),
        Outcome::Proceed(Proposal { patches, shared }) => {
            let mut proposal = json!({});
            for (target, patch) in patches {
                let known = &mut proposal["patches"][target.to_string()];
                *known = match known.take() {
                    Value::Null => patch.clone(),
                    Value::Array(mut several) => {
                        several.push(patch.clone());
                        several.into()
                    }
                    one => json!([one, patch]),
                };
            }
            for (key, value) in shared {
                proposal["shared"][key] = read(value);
            }
            json!({ "proceed": proposal })
        }
    }
}

fn of_wish(wish: &StepProposal) -> Value {
    match wish {
        StepProposal::Hide { code, .. } => json!({ "hide": code }),
        StepProposal::Fault { code, .. } => json!({ "fault": code }),
        StepProposal::Proceed { patch, items } => {
            let mut changes = json!({});
            if let Some(patch) = patch {
                changes["patch"] = read(patch);
            }
            if let Some(items) = items {
                changes["items"] = json!({});
                changes = with_items(changes, items);
            }
            json!({ "proceed": changes })
        }
    }
}

fn of_migration(migration: &Migration) -> Value {
    let mut shown = Map::new();
    let mut add = |key: &str, values: Vec<Value>| {
        if !values.is_empty() {
            shown.insert(key.to_owned(), Value::Array(values));
        }
    };
    add("upserts", migration.upserts.iter().map(of_upsert).collect());
    let quarantine = migration.quarantine.iter();
    add("quarantine", quarantine.map(|it| json!(format!("{}: {}: {}", row(&it.row), it.code, it.reason))).collect());
    let notes = migration.notes.iter().map(|it| {
        let place = it.row.as_ref().map_or_else(String::new, row);
        json!(format!("{place}: {}: {}", it.code, it.message))
    });
    add("notes", notes.collect());
    Value::Object(shown)
}

fn of_upsert(upsert: &Upsert) -> Value {
    let Upsert { kind, name, aliases, merges, attributes, sources } = upsert;
    let mut shown = json!({ "kind": kind, "name": name });
    shown[if *merges { "patch" } else { "item" }] = read(attributes);
    shown["sources"] = sources.iter().map(row).collect();
    if !aliases.is_empty() {
        shown["aliases"] = json!(aliases);
    }
    shown
}

fn row(key: &RowKey) -> String {
    format!("{}/{}", key.table, key.id)
}

/// Parses JSON. A text that is no JSON is returned as a string.
fn read(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_else(|_| json.into())
}
