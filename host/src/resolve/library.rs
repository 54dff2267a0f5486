//! The content of the library items that rules name, in the form that controls draw.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::domain::{AnyItem, Kind, Script, ScriptStep, StepAction};
use crate::store::Snapshot;

use super::explain::Account;
use super::{Facts, ItemReference, texts};

/// Content by collection and unique name.
pub(super) type Content = BTreeMap<String, BTreeMap<String, Arc<Value>>>;

/// Most bytes of the items of an answer, as they are stored. Real answers have some dozens of items of some kilobytes.
const CONTENT_MAX: usize = 16 << 20;

fn too_large() -> String {
    let most = CONTENT_MAX >> 20;
    format!(
        "the items that the tools name have more than {most} MiB together, so some are left out: name fewer of them"
    )
}

/// Collects the items that the rules name. An item that is not there or inactive becomes a warning.
pub(super) fn collect(snapshot: &Snapshot, named: Vec<ItemReference>, facts: &Facts, account: &mut Account) -> Content {
    let mut content = Content::new();
    let mut room = CONTENT_MAX;
    for ItemReference { kind, name } in named {
        if account.go_on().is_err() {
            break;
        }
        let known = kind.parse::<Kind>().ok().filter(|kind| kind.is_collection() && *kind != Kind::User);
        let entry = known.and_then(|kind| snapshot.entry(kind, &name)).filter(|entry| entry.item.is_active());
        let Some(entry) = entry else {
            account.warn("unknown-item", format!("a rule names `{name}` of `{kind}`, which is not there"));
            continue;
        };
        if let Entry::Vacant(place) = content.entry(kind).or_default().entry(name) {
            let Some(left) = room.checked_sub(entry.json().len()) else {
                account.warn("library-too-large", too_large());
                continue;
            };
            room = left;
            let item = match &entry.item {
                AnyItem::Script(item) => Arc::new(script(place.key(), item, facts, account)),
                _ => entry.drawn(facts.language, |item| plain(item.to_json(), facts.language)),
            };
            place.insert(item);
        }
    }
    content
}

/// Returns a script with its active steps in order, in the person's language, with slugs replaced.
fn script(name: &str, script: &Script, facts: &Facts, account: &mut Account) -> Value {
    let mut steps: Vec<&ScriptStep> = script.steps.iter().filter(|step| step.state.is_active()).collect();
    steps.sort_by(|a, b| (a.order, a.unique_name.as_str()).cmp(&(b.order, b.unique_name.as_str())));
    let steps: Vec<Value> = steps.into_iter().map(|step| self::step(name, step, facts, account)).collect();
    json!({
        "name": script.name.in_language(facts.language),
        "description": script.description.as_ref().map(|text| text.in_language(facts.language)),
        "language": script.language,
        "steps": steps,
    })
}

fn step(script: &str, step: &ScriptStep, facts: &Facts, account: &mut Account) -> Value {
    let place = format!("step `{}` of script `{script}`", step.unique_name);
    let action = match &step.action {
        StepAction::Text { instruction } => {
            json!({"type": "text", "instruction": texts::text(instruction, &place, facts, account)})
        }
        StepAction::Macro { runs } => json!({"type": "macro", "macro": runs}),
        StepAction::Script { script } => json!({"type": "script", "script": script}),
    };
    json!({
        "uniqueName": step.unique_name,
        "name": texts::line(&step.name, &place, facts, account),
        "order": step.order,
        "action": action,
        "description": step.description.as_ref().map(|text| text.in_language(facts.language)),
    })
}

/// Returns an item without its source, with each text in one language.
fn plain(json: Value, language: u32) -> Value {
    match json {
        Value::Object(mut object) => {
            object.remove("source");
            match wording(&object, language) {
                Some(wording) => Value::String(wording),
                None => Value::Object(object.into_iter().map(|(key, value)| (key, plain(value, language))).collect()),
            }
        }
        Value::Array(list) => Value::Array(list.into_iter().map(|value| plain(value, language)).collect()),
        other => other,
    }
}

/// Returns the text in `language`, else the default text, if the object is a text with translations.
fn wording(object: &Map<String, Value>, language: u32) -> Option<String> {
    let (Some(default), Some(labels), 2) = (object.get("default"), object.get("labels"), object.len()) else {
        return None;
    };
    let label = labels.get(language.to_string()).unwrap_or(default);
    label.as_str().map(str::to_owned)
}
