//! How a proposal becomes an item: attributes merged or replaced, references led to what they mean, values of shipped items
//! marked as kept.

use serde_json::{Value, json};

use crate::domain::merge_patch::merge;
use crate::domain::{AnyItem, Kind, Origin, Problems};
use crate::store::{Error, Layer, Rest, Snapshot, without};

/// What a reference may mean: the items of a kind that are called something.
pub(super) type Called<'a> = &'a dyn Fn(Kind, &str) -> Result<Vec<String>, Error>;

/// An item a proposal became.
pub(super) struct Realised {
    pub(super) item: AnyItem,
    /// What an administrator should know, each with its code.
    pub(super) notes: Vec<(&'static str, String)>,
}

/// Why a proposal became nothing.
pub(super) enum Unrealised {
    /// The step proposed what no item can be.
    Invalid(String),
    /// The row is to blame: the sentence says what for.
    Quarantine(String),
}

/// What `attributes` make of the item `name`, which is `now` so.
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
    let item = match AnyItem::parse(kind, name, body) {
        Ok(item) => item,
        Err(invalid) => return Ok(Err(Unrealised::Invalid(invalid.to_string()))),
    };
    let mut notes = Vec::new();
    let item = match lead(library, called, item, name, &mut notes)? {
        Ok(item) => item,
        Err(reason) => return Ok(Err(Unrealised::Quarantine(reason))),
    };
    let mut problems = Problems::default();
    item.check(&mut problems);
    for problem in problems.0 {
        if !problem.tolerable {
            return Ok(Err(Unrealised::Invalid(format!("`{name}` of `{}`: {problem}", kind.collection()))));
        }
        notes.push(("tolerated", problem.to_string()));
    }
    Ok(Ok(Realised { item, notes }))
}

/// Leads every reference of an item to what it means. One that means nothing is left out where the item can do without.
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
        let canonical = || library.canonical(reference.kind, &old);
        match meant.first().map(|name| name.as_str().into()).or_else(canonical) {
            Some(new) => {
                if meant.len() > 1 {
                    let message = format!(
                        "`{}` names `{old}`, and {} items were called so: `{new}` is taken",
                        reference.attribute,
                        meant.len()
                    );
                    notes.push(("ambiguous-reference", message));
                }
                *reference.name = new;
            }
            None => dangling.push((reference.kind, reference.attribute, old)),
        }
    });
    if let Some(error) = failed {
        return Err(error);
    }
    for (kind, attribute, old) in dangling {
        let missing = format!("`{attribute}` names `{old}`, and nothing in `{}` is called so", kind.collection());
        match without(&item, name, kind, &old) {
            Rest::Item(rest) => item = *rest,
            Rest::Nothing => return Ok(Err(missing)),
            Rest::Needed(why) => return Ok(Err(format!("{missing}; {why}"))),
        }
        notes.push(("dangling-reference", format!("{missing}: the reference is left out")));
    }
    Ok(Ok(item))
}

/// The paths of the values a patch sets.
fn leaves(patch: &Value) -> Vec<String> {
    fn walk(value: &Value, path: String, found: &mut Vec<String>) {
        match value {
            Value::Object(members) if !members.is_empty() => {
                for (key, member) in members {
                    walk(member, if path.is_empty() { key.clone() } else { format!("{path}.{key}") }, found);
                }
            }
            _ => found.push(path),
        }
    }
    let mut found = Vec::new();
    walk(patch, String::new(), &mut found);
    found.retain(|path| !path.is_empty() && path != "source" && !path.starts_with("source."));
    found
}

/// What the product ships, with the values that were kept of what is here.
pub fn keep(shipped: &AnyItem, here: &AnyItem, name: &str) -> AnyItem {
    let here = here.to_json();
    let Some(kept) = here.pointer("/source/kept").and_then(Value::as_object).filter(|kept| !kept.is_empty()) else {
        return shipped.clone();
    };
    let mut body = shipped.to_json();
    for path in kept.keys() {
        let value = here.pointer(&format!("/{}", path.replace('.', "/"))).cloned().unwrap_or(Value::Null);
        let patch = path.rsplit('.').fold(value, |value, key| json!({ key: value }));
        merge(&mut body, patch);
    }
    merge(&mut body, json!({ "source": { "kept": kept } }));
    // A product that no longer has such an attribute ships the item as it means it.
    AnyItem::parse(shipped.kind(), name, body).unwrap_or_else(|_| shipped.clone())
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
        let untouched = profile(json!({ "name": "Old" }));
        assert_eq!(keep(&shipped, &untouched, "msdyn_p").to_json(), shipped.to_json());
    }

    #[test]
    fn the_leaves_of_a_patch_are_its_values() {
        let patch = json!({ "a": { "b": 1, "c": { "d": [1] } }, "e": null, "source": { "id": "x" } });
        assert_eq!(leaves(&patch), ["a.b", "a.c.d", "e"]);
    }
}
