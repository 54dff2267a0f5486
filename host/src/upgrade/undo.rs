//! Undoes a run: makes the inverse of each of its changes, and refuses if later changes depend on them.

use serde_json::Value;

use crate::domain::revision::ChangeRecord;
use crate::domain::{AnyItem, InvalidItem, Kind, attribute_path};
use crate::store::{Change, Entry, Expect, Snapshot};

use super::difference::{AttributeChange, attribute_changes};

/// An item that was changed after the run, so that undoing would lose that change.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[schema(as = UpgradeConflict)]
pub struct Conflict {
    /// The collection.
    pub collection: String,
    /// The name of the item.
    pub name: String,
    /// Why the run cannot be undone.
    pub reason: String,
}

/// Why a run cannot be undone.
#[derive(Debug, Clone, thiserror::Error)]
pub enum UndoError {
    /// Later changes depend on the run.
    #[error(
        "upgrade {run} cannot be rolled back, because later changes depend on it: {}; undo those first",
        listed(conflicts)
    )]
    Conflicts {
        /// The run.
        run: u64,
        /// The conflicts; never empty.
        conflicts: Vec<Conflict>,
    },
    /// An item would become invalid.
    #[error(transparent)]
    Invalid(#[from] InvalidItem),
}

/// The changes that undo a run. `done` are the changes of its revision, `now` is the current library.
pub fn inverse(run: u64, done: &[ChangeRecord], now: &Snapshot) -> Result<Vec<Change>, UndoError> {
    let (mut puts, mut deletes, mut conflicts) = (Vec::new(), Vec::new(), Vec::new());
    for record in done {
        let Ok(kind) = record.collection.parse::<Kind>() else { continue };
        let here = now.entry(kind, &record.name);
        let mut conflict = |reason: String| {
            let (collection, name) = (record.collection.clone(), record.name.clone());
            conflicts.push(Conflict { collection, name, reason });
        };
        match (&record.before, &record.after, here) {
            (None, Some(_), None) => {}
            (None, Some(after), Some(here)) if here.item.to_json() == *after => {
                let (name, expect) = (record.name.as_str().into(), Expect::Revision(here.revision));
                deletes.push(Change::Delete { kind, name, expect, force: false });
            }
            (None, Some(_), Some(here)) => conflict(format!("it was changed by revision {}", here.revision)),
            (Some(_), Some(_), None) => conflict("it was deleted since".to_owned()),
            (Some(before), Some(after), Some(here)) => match restored(before, after, here) {
                Ok(body) => puts.push(Change::Put {
                    name: record.name.as_str().into(),
                    item: AnyItem::parse(kind, &record.name, body)?,
                    expect: Expect::Revision(here.revision),
                }),
                Err(path) => conflict(format!("`{path}` was changed by revision {} or before it", here.revision)),
            },
            (_, None, _) => {}
        }
    }
    if !conflicts.is_empty() {
        return Err(UndoError::Conflicts { run, conflicts });
    }
    // An item is deleted before the items it refers to.
    deletes.reverse();
    let order = |change: &Change| match change {
        Change::Delete { kind, .. } => std::cmp::Reverse(Kind::ALL.iter().position(|known| known == kind)),
        _ => std::cmp::Reverse(None),
    };
    deletes.sort_by_key(order);
    Ok(puts.into_iter().chain(deletes).collect())
}

/// The item with the attributes that a run changed set back. The error is the path of an attribute that was changed
/// again.
fn restored(before: &Value, after: &Value, here: &Entry) -> Result<Value, String> {
    let mut body = here.item.to_json();
    for AttributeChange { path, keys, before, after } in attribute_changes(before, after) {
        if attribute_path::get(&body, &keys) != after.as_ref() {
            return Err(path);
        }
        set(&mut body, &keys, before);
    }
    Ok(body)
}

fn set(body: &mut Value, keys: &[String], value: Option<Value>) {
    let Some((last, within)) = keys.split_last() else { return };
    let mut target = body;
    for key in within {
        let Value::Object(members) = target else { return };
        target = members.entry(key.clone()).or_insert_with(|| Value::Object(serde_json::Map::new()));
    }
    let Value::Object(members) = target else { return };
    match value {
        Some(value) => {
            members.insert(last.clone(), value);
        }
        None => {
            members.shift_remove(last);
        }
    }
}

fn listed(conflicts: &[Conflict]) -> String {
    const NAMED: usize = 5;
    let named = conflicts.iter().take(NAMED);
    let mut text =
        named.map(|it| format!("`{}` of `{}`: {}", it.name, it.collection, it.reason)).collect::<Vec<_>>().join("; ");
    if conflicts.len() > NAMED {
        text.push_str(&format!("; and {} more", conflicts.len() - NAMED));
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::Revision;
    use crate::store::Layer;

    fn now(items: &[(&str, Value)]) -> Snapshot {
        let entry = |(name, json): &(&str, Value)| {
            let item = AnyItem::parse(Kind::Queue, name, json.clone()).unwrap();
            ((*name).into(), Entry::new(item, Revision(7), Layer::Custom))
        };
        Snapshot::new(Revision(9), items.iter().map(entry).collect::<Vec<_>>())
    }

    fn record(before: Option<Value>, after: Value) -> ChangeRecord {
        let full = |json: Value| AnyItem::parse(Kind::Queue, "q", json).unwrap().to_json();
        ChangeRecord {
            collection: "queues".to_owned(),
            name: "q".to_owned(),
            before: before.map(full),
            after: Some(full(after)),
        }
    }

    #[test]
    fn what_nobody_touched_since_goes_back_and_what_somebody_added_stays() {
        let updated = record(Some(json!({ "name": "Old" })), json!({ "name": "New", "private": true }));
        let here = json!({ "name": "New", "private": true, "description": "added later" });
        let changes = inverse(3, &[updated], &now(&[("q", here)])).unwrap();
        let [Change::Put { item, .. }] = &changes[..] else { panic!("{changes:?}") };
        assert_eq!(item.to_json(), json!({ "name": "Old", "description": "added later", "private": false }));

        let created = record(None, json!({ "name": "New" }));
        let changes = inverse(3, std::slice::from_ref(&created), &now(&[("q", json!({ "name": "New" }))])).unwrap();
        assert!(matches!(&changes[..], [Change::Delete { .. }]), "{changes:?}");
        assert!(inverse(3, &[created], &now(&[])).unwrap().is_empty());
    }

    #[test]
    fn what_was_changed_since_stands_in_the_way() {
        let refused =
            |record: ChangeRecord, here: &[(&str, Value)]| inverse(3, &[record], &now(here)).unwrap_err().to_string();
        let updated = record(Some(json!({ "name": "Old" })), json!({ "name": "New" }));
        insta::assert_snapshot!(refused(updated.clone(), &[("q", json!({ "name": "Newer" }))]), @"upgrade 3 cannot be rolled back, because later changes depend on it: `q` of `queues`: `name` was changed by revision 7 or before it; undo those first");
        insta::assert_snapshot!(refused(updated, &[]), @"upgrade 3 cannot be rolled back, because later changes depend on it: `q` of `queues`: it was deleted since; undo those first");
        let created = record(None, json!({ "name": "New" }));
        insta::assert_snapshot!(refused(created, &[("q", json!({ "name": "Newer" }))]), @"upgrade 3 cannot be rolled back, because later changes depend on it: `q` of `queues`: it was changed by revision 7; undo those first");
    }
}
