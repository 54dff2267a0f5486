//! Writes documents in `loadout/`, for content that the tables cannot express.
//!
//! The tables are read back to find it. An item that comes out different gets a patch; an item that does not come out,
//! or that no patch can mend, is written whole. So content that this code does not know is not lost, either.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::domain::{AnyItem, Environment, Kind, attribute_path, merge_patch};
use crate::import::document::Document;
use crate::import::layout::FOLDER;
use crate::store::{Entry, Layer, Snapshot};

use super::path::Paths;

/// Items by kind and name.
pub(super) type Items = BTreeMap<(Kind, Arc<str>), AnyItem>;

/// The custom items of an environment that can be exported, without its people.
pub(super) fn custom(snapshot: &Snapshot) -> impl Iterator<Item = (Kind, &Arc<str>, &Entry)> {
    let kinds = Kind::ALL.iter().filter(|kind| kind.is_portable() && **kind != Kind::User);
    let entries = kinds.flat_map(|kind| snapshot.entries(*kind).map(|(name, entry)| (*kind, name, entry)));
    entries.filter(|(_, _, entry)| entry.layer == Layer::Custom)
}

/// The item as it is in an archive: without the settings that belong to one environment, which no import takes.
pub(super) fn exported(item: &AnyItem) -> Cow<'_, AnyItem> {
    let AnyItem::Environment(environment) = item else { return Cow::Borrowed(item) };
    let mut environment = environment.clone();
    environment.keep_own(&Environment::default());
    Cow::Owned(AnyItem::Environment(environment))
}

/// Writes the documents that turn the items which the tables `said` into the items of `snapshot`. Returns them with
/// their paths.
pub(super) fn write(snapshot: &Snapshot, said: &Items, paths: &mut Paths) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for (kind, name, entry) in custom(snapshot) {
        let said = said.get(&(kind, Arc::clone(name)));
        let Some(document) = document(kind, name, &exported(&entry.item), said) else { continue };
        let folder = format!("{FOLDER}/{}", kind.collection());
        let path = paths.take(&folder, name, ".json");
        let respelt = path != format!("{folder}/{name}.json");
        let document = Document { unique_name: respelt.then(|| name.to_string()), ..document };
        files.push((path, text(&document)));
    }
    files
}

/// Writes the documents of out-of-the-box items that hold values kept from an older environment.
pub(super) fn write_kept(snapshot: &Snapshot, paths: &mut Paths) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for kind in Kind::ALL {
        for (name, entry) in snapshot.entries(*kind).filter(|(_, entry)| entry.layer == Layer::OutOfTheBox) {
            let json = entry.item.to_json();
            let Some(kept) = json.pointer("/source/kept").and_then(Value::as_object) else { continue };
            let mut patch = serde_json::json!({ "source": { "kept": kept } });
            for path in kept.keys() {
                let keys = attribute_path::split(path);
                let value = attribute_path::get(&json, &keys).cloned().unwrap_or(Value::Null);
                merge_into(&mut patch, attribute_path::patch(&keys, value));
            }
            let Value::Object(patch) = patch else { continue };
            let path = paths.take(&format!("{FOLDER}/{}", kind.collection()), name, ".json");
            files.push((path, text(&Document { patch: Some(patch), ..Document::default() })));
        }
    }
    files
}

/// Adds one patch to another. Unlike a merge, this keeps `null`, which deletes a member where the patch is applied.
fn merge_into(patch: &mut Value, other: Value) {
    match (patch, other) {
        (Value::Object(members), Value::Object(others)) => {
            for (key, value) in others {
                merge_into(members.entry(key).or_insert_with(|| serde_json::json!({})), value);
            }
        }
        (patch, other) => *patch = other,
    }
}

/// The longest document that is indented, in bytes. The import reads no document of more than twice as many.
const INDENTED_MAX: usize = 2 << 20;

/// The JSON text of a document: indented unless it is long, keys in the order of the item, and a line end.
pub(super) fn text(document: &impl serde::Serialize) -> Vec<u8> {
    let value = serde_json::json!(document);
    let indented = format!("{value:#}\n");
    if indented.len() <= INDENTED_MAX { indented.into_bytes() } else { format!("{value}\n").into_bytes() }
}

/// Whether two items are the same to the byte. Members in another order would be other bytes in the next export.
pub(super) fn are_same(one: &AnyItem, other: &AnyItem) -> bool {
    let [one, other] = [one, other].map(|item| item.to_json().to_string());
    one == other
}

fn document(kind: Kind, name: &str, wanted: &AnyItem, said: Option<&AnyItem>) -> Option<Document> {
    if said.is_some_and(|said| are_same(said, wanted)) {
        return None;
    }
    let json = wanted.to_json();
    let patch = said.and_then(|said| {
        let mut said = said.to_json();
        let Value::Object(patch) = merge_patch::between(&said, &json)? else { return None };
        merge_patch::merge(&mut said, Value::Object(patch.clone()));
        let patched = AnyItem::parse(kind, name, said).ok()?;
        are_same(&patched, wanted).then_some(patch)
    });
    Some(match patch {
        Some(patch) => Document { patch: Some(patch), ..Document::default() },
        None => Document { item: Some(json), ..Document::default() },
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_difference_is_a_patch_and_what_no_patch_can_say_is_the_whole() {
        let said = json!({ "name": "Map", "pageType": "web-resource", "parameters": { "a": "1", "b": "2" } });
        let said = AnyItem::parse(Kind::ApplicationTabTemplate, "fab_map", said).unwrap();
        let of = |wanted: Value| {
            let wanted = AnyItem::parse(Kind::ApplicationTabTemplate, "fab_map", wanted).unwrap();
            document(Kind::ApplicationTabTemplate, "fab_map", &wanted, Some(&said)).map(|document| json!(document))
        };
        let patch =
            of(json!({ "name": "Map", "pageType": "web-resource", "parameters": { "b": "2" }, "closable": false }));
        assert_eq!(patch, Some(json!({ "patch": { "closable": false, "parameters": { "a": null } } })));
        let whole = json!({ "name": "Map", "pageType": "web-resource", "closable": true, "parameters": { "a": null } });
        assert_eq!(of(whole.clone()), Some(json!({ "item": whole })));
        assert_eq!(of(said.to_json()), None);
    }
}
