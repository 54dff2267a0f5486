//! Turns a proposal into an item: merges or replaces attributes, resolves references, marks values of shipped items as
//! kept.

use serde_json::{Value, json};

use crate::domain::excerpt::{PLACE_MAX, excerpt};
use crate::domain::merge_patch::merge;
use crate::domain::name::check_name;
use crate::domain::{AnyItem, InvalidItem, Kind, Origin, Problems, attribute_path, bounds};
use crate::store::{Error, Layer, Rest, Snapshot, without};

use super::meaning::Meant;

/// Looks up a reference of a kind.
pub(super) type Called<'a> = &'a dyn Fn(Kind, &str) -> Result<Meant, Error>;

/// An item made of a proposal.
pub(super) struct Realised {
    pub(super) item: AnyItem,
    /// Notes for administrators, each with its code.
    pub(super) notes: Vec<(&'static str, String)>,
}

/// Why a proposal did not become an item.
pub(super) enum Unrealised {
    /// The step proposed an impossible item.
    Invalid(String),
    /// The row cannot be used: the sentence says why.
    Quarantine(String),
}

/// The item `name` after `attributes` are applied to its current state `now`.
pub(super) fn realise(
    library: &Snapshot,
    called: Called<'_>,
    (kind, name): (Kind, &str),
    now: Option<&AnyItem>,
    merges: bool,
    attributes: &str,
) -> Result<Result<Realised, Unrealised>, Error> {
    let is_shipped = library.entry(kind, name).is_some_and(|entry| entry.layer == Layer::OutOfTheBox);
    if is_shipped && !merges {
        let reason = format!("`{name}` of `{}` came with the product and is not replaced", kind.collection());
        return Ok(Err(Unrealised::Quarantine(reason)));
    }
    let attributes: Value = serde_json::from_str(attributes).unwrap_or(Value::Null);
    let mut body = match now {
        Some(now) if merges => now.to_json(),
        _ => json!({}),
    };
    let kept = if is_shipped { leaves(&attributes) } else { Vec::new() };
    if merges {
        merge(&mut body, attributes);
    } else {
        body = attributes;
    }
    if !kept.is_empty() {
        let origin = json!(Origin::ExistingEnvironment);
        let paths = kept.into_iter().map(|path| (path, origin.clone())).collect();
        merge(&mut body, json!({ "source": { "kept": Value::Object(paths) } }));
    }
    let mut notes = Vec::new();
    let item = match parse(kind, name, body, &mut notes) {
        Ok(item) => item,
        Err(invalid) => return Ok(Err(Unrealised::Invalid(invalid.to_string()))),
    };
    let item = match lead(library, called, item, name, &mut notes)? {
        Ok(item) => item,
        Err(reason) => return Ok(Err(Unrealised::Quarantine(reason))),
    };
    let mut problems = Problems::default();
    item.check(&mut problems);
    let before = library.entry(kind, name).map(|entry| &entry.item);
    problems.0.extend(bounds::check(&item, before));
    for problem in problems.0 {
        if !problem.tolerable {
            return Ok(Err(Unrealised::Invalid(format!("`{name}` of `{}`: {problem}", kind.collection()))));
        }
        notes.push(("tolerated", problem.to_string()));
    }
    Ok(Ok(Realised { item, notes }))
}

/// Parses an item whose references are spelt as in an old environment. Texts that can name no item, because they are
/// too long or have forbidden characters, are trimmed, or else left out.
fn parse(
    kind: Kind,
    name: &str,
    mut body: Value,
    notes: &mut Vec<(&'static str, String)>,
) -> Result<AnyItem, InvalidItem> {
    loop {
        let invalid = match AnyItem::parse(kind, name, body.clone()) {
            Err(invalid) => invalid,
            parsed => return parsed,
        };
        let Some(path) = invalid.problems.0.first().map(|problem| steps_of(&problem.attribute)) else {
            return Err(invalid);
        };
        let Some(text) = pointed(&mut body, &path).and_then(|value| value.as_str()).map(str::to_owned) else {
            return Err(invalid);
        };
        // Only a refused name is mended; any other invalid text is a fault of the step.
        let is_name = invalid.problems.0[0].message.contains(" cannot name ");
        if !is_name || check_name(kind, &text).is_ok() {
            return Err(invalid);
        }
        let trimmed = text.trim();
        match pointed(&mut body, &path).filter(|_| check_name(kind, trimmed).is_ok()) {
            Some(value) => *value = trimmed.into(),
            None => {
                let attribute = &invalid.problems.0[0].attribute;
                let message =
                    format!("`{attribute}` names {text:?}, which nothing can be called: the reference is left out");
                notes.push(("dangling-reference", message));
                take_out(&mut body, &path);
            }
        }
    }
}

/// One part of a path as in an error, such as `tabs[0].template`.
enum PathStep {
    Key(String),
    Index(usize),
}

fn steps_of(path: &str) -> Vec<PathStep> {
    let parts = path.split(['.', '[']).filter(|part| !part.is_empty());
    let index = |part: &str| part.strip_suffix(']').and_then(|digits| digits.parse().ok());
    parts.map(|part| index(part).map_or_else(|| PathStep::Key(part.to_owned()), PathStep::Index)).collect()
}

fn pointed<'a>(body: &'a mut Value, path: &[PathStep]) -> Option<&'a mut Value> {
    path.iter().try_fold(body, |value, step| match step {
        PathStep::Key(key) => value.get_mut(key),
        PathStep::Index(index) => value.get_mut(index),
    })
}

/// Removes the value at a path from its object, or the list entry that holds it.
fn take_out(body: &mut Value, path: &[PathStep]) {
    let entry = path.iter().rposition(|step| matches!(step, PathStep::Index(_)));
    let Some(at) = entry.or(path.len().checked_sub(1)) else { return };
    match (pointed(body, &path[..at]), &path[at]) {
        (Some(Value::Array(list)), PathStep::Index(index)) if *index < list.len() => drop(list.remove(*index)),
        (Some(Value::Object(members)), PathStep::Key(key)) => drop(members.shift_remove(key)),
        _ => {}
    }
}

/// Resolves all references of an item. A reference that means nothing is left out if the item can do without it.
fn lead(
    library: &Snapshot,
    called: Called<'_>,
    mut item: AnyItem,
    name: &str,
    notes: &mut Vec<(&'static str, String)>,
) -> Result<Result<AnyItem, String>, Error> {
    let (mut dangling, mut failed) = (Vec::new(), None);
    item.references(&mut |reference| {
        let old = reference.name.to_string();
        let meant = match called(reference.kind, &old) {
            Ok(meant) => meant,
            Err(error) => return failed = Some(error),
        };
        let Meant { names, label, labelled } = meant;
        let (attribute, collection) = (&reference.attribute, reference.kind.collection());
        if names.len() > 1 {
            let (many, new) = (names.len(), &names[0]);
            let message = format!("`{attribute}` names `{old}`, and {many} items were called so: `{new}` is taken");
            notes.push(("ambiguous-reference", message));
        }
        let canonical = || library.canonical(reference.kind, &old);
        if let Some(new) = names.first().map(|name| name.as_str().into()).or_else(canonical) {
            *reference.name = new;
            return;
        }
        // The name of a row that was not exported often stands beside its ID, and is all that an administrator can
        // recognise.
        let shown = label
            .map_or_else(|| format!("`{old}`"), |label| format!("`{}` (`{old}`)", excerpt(&label, PLACE_MAX)));
        match labelled.as_slice() {
            [only] => {
                let message = format!(
                    "`{attribute}` names {shown}, which is in no record: `{only}`, the only one of `{collection}` that is called so, is taken"
                );
                notes.push(("reference-by-name", message));
                *reference.name = only.as_str().into();
            }
            [] => {
                let missing = format!("`{attribute}` names {shown}, and nothing in `{collection}` is called so");
                dangling.push((reference.kind, old, missing));
            }
            several => {
                let many = several.len();
                let missing = format!("`{attribute}` names {shown}, and {many} of `{collection}` are called so");
                dangling.push((reference.kind, old, missing));
            }
        }
    });
    if let Some(error) = failed {
        return Err(error);
    }
    for (kind, old, missing) in dangling {
        match without(&item, name, kind, &old) {
            Rest::Item(rest) => item = *rest,
            Rest::Nothing => return Ok(Err(missing)),
            Rest::Needed(why) => return Ok(Err(format!("{missing}; {why}"))),
        }
        notes.push(("dangling-reference", format!("{missing}: the reference is left out")));
    }
    Ok(Ok(item))
}

/// The paths of the values that a patch sets.
fn leaves(patch: &Value) -> Vec<String> {
    fn walk(value: &Value, keys: &mut Vec<String>, found: &mut Vec<String>) {
        match value {
            Value::Object(members) if !members.is_empty() => {
                for (key, member) in members {
                    keys.push(key.clone());
                    walk(member, keys, found);
                    keys.pop();
                }
            }
            _ if keys.first().is_none_or(|first| first == "source") => {}
            _ => found.push(attribute_path::join(keys)),
        }
    }
    let mut found = Vec::new();
    walk(patch, &mut Vec::new(), &mut found);
    found
}

/// The shipped item, with the values that are kept of the current one.
///
/// A value that the product can no longer hold is dropped, with a line in the log; all others stay.
pub fn keep(shipped: &AnyItem, here: &AnyItem, name: &str) -> AnyItem {
    let here = here.to_json();
    let Some(kept) = here.pointer("/source/kept").and_then(Value::as_object) else { return shipped.clone() };
    let mut item = shipped.clone();
    for (path, origin) in kept {
        let keys = attribute_path::split(path);
        let value = attribute_path::get(&here, &keys).cloned().unwrap_or(Value::Null);
        let mut body = item.to_json();
        merge(&mut body, attribute_path::patch(&keys, value));
        merge(&mut body, json!({ "source": { "kept": { path: origin } } }));
        match AnyItem::parse(shipped.kind(), name, body) {
            Ok(with) => item = with,
            Err(error) => tracing::warn!(%error, path, "a value kept of an older environment has no place any more"),
        }
    }
    item
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_product_leaves_kept_values_alone() {
        let profile = |json: Value| AnyItem::parse(Kind::Profile, "msdyn_p", json).unwrap();
        let here = profile(json!({ "name": "Old", "productivityPane": { "enabled": false, "mode": "expanded" },
            "source": { "kept": { "productivityPane.enabled": "kept from existing environment" } } }));
        let shipped = profile(json!({ "name": "New", "productivityPane": { "enabled": true, "mode": "collapsed" } }));
        let kept = keep(&shipped, &here, "msdyn_p").to_json();
        assert_eq!((&kept["name"], &kept["productivityPane"]["mode"]), (&json!("New"), &json!("collapsed")));
        assert_eq!(kept["productivityPane"]["enabled"], false);
        assert_eq!(kept["source"]["kept"], json!({ "productivityPane.enabled": "kept from existing environment" }));
        // A value that the product can no longer hold does not affect the others.
        let AnyItem::Profile(mut item) = here.clone() else { panic!("it is a profile") };
        item.source.get_or_insert_default().kept.insert("name".to_owned(), Origin::ExistingEnvironment);
        let kept = keep(&profile(json!({ "name": "New" })), &AnyItem::Profile(item), "msdyn_p").to_json();
        assert_eq!((&kept["name"], &kept["productivityPane"]["enabled"]), (&json!("Old"), &json!(false)));
        let untouched = profile(json!({ "name": "Old" }));
        assert_eq!(keep(&shipped, &untouched, "msdyn_p").to_json(), shipped.to_json());
    }

    #[test]
    fn references_that_can_name_nothing_are_trimmed_or_left_out() {
        let long = "x".repeat(150);
        let body = json!({ "name": "W", "channel": "chat", "sessionTemplate": " Call \r\n",
            "notifications": { "consult": "", "transfer": long } });
        let mut notes = Vec::new();
        let item = parse(Kind::Workstream, "w", body, &mut notes).unwrap().to_json();
        assert_eq!((&item["sessionTemplate"], &item["notifications"]), (&json!("Call"), &json!({})));
        assert_eq!(notes.len(), 2, "{notes:?}");
        let body = json!({ "name": "S", "kind": "generic", "tabs": [{ "template": "a" }, { "template": "b\u{1}c" }] });
        let item = parse(Kind::SessionTemplate, "s", body, &mut notes).unwrap().to_json();
        assert_eq!(item["tabs"], json!([{ "template": "a", "order": 0 }]));
        assert!(parse(Kind::Workstream, "w", json!({ "name": "W", "channel": "smoke" }), &mut notes).is_err());
    }

    #[test]
    fn the_leaves_of_a_patch_are_its_values() {
        let patch = json!({ "a": { "b": 1, "c": { "d": [1] } }, "e": null, "source": { "id": "x" } });
        assert_eq!(leaves(&patch), ["a.b", "a.c.d", "e"]);
    }
}
