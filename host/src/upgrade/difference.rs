//! Compares libraries item by item and attribute by attribute.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::attribute_path;
use crate::store::journal::StagedItem;
use crate::store::{Layer, Snapshot};

/// One item that changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = UpgradeDifference)]
pub struct Difference {
    /// The collection.
    pub collection: String,
    /// The name of the item.
    pub name: String,
    /// Whether the item came with the product.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub out_of_the_box: bool,
    /// The step that changes it.
    pub step: String,
    /// Whether it is new. A new item has no attributes before.
    pub created: bool,
    /// The attributes that change.
    pub attributes: Vec<AttributeChange>,
}

/// One attribute that changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = UpgradeAttributeChange)]
pub struct AttributeChange {
    /// The attribute, as a path such as `productivityPane.mode`.
    pub path: String,
    /// The keys of the path; empty in a difference that was read back.
    #[serde(skip)]
    #[schema(ignore)]
    pub(crate) keys: Vec<String>,
    /// The value before; absent if the attribute did not exist.
    #[schema(value_type = serde_json::Value)]
    pub before: Option<Value>,
    /// The value after; absent if the attribute is removed.
    #[schema(value_type = serde_json::Value)]
    pub after: Option<Value>,
}

/// The items that differ from `base`.
pub fn differences(items: &[StagedItem], base: &Snapshot) -> Vec<Difference> {
    items.iter().filter_map(|staged| difference(staged, base)).collect()
}

fn difference(staged: &StagedItem, base: &Snapshot) -> Option<Difference> {
    let kind = staged.item.kind();
    let here = base.entry(kind, &staged.name);
    let (before, after) = (here.map(|here| here.item.to_json()), staged.item.to_json());
    let attributes = attribute_changes(before.as_ref().unwrap_or(&Value::Null), &after);
    if before.is_some() && attributes.is_empty() {
        return None;
    }
    Some(Difference {
        collection: kind.collection().to_owned(),
        name: staged.name.to_string(),
        out_of_the_box: here.is_some_and(|here| here.layer == Layer::OutOfTheBox),
        step: staged.step.clone(),
        created: before.is_none(),
        attributes,
    })
}

/// The attributes in which two items differ. Objects are compared member by member, anything else as a whole.
pub fn attribute_changes(before: &Value, after: &Value) -> Vec<AttributeChange> {
    let mut changes = Vec::new();
    compare(Vec::new(), Some(before), Some(after), &mut changes);
    changes
}

fn compare(keys: Vec<String>, before: Option<&Value>, after: Option<&Value>, changes: &mut Vec<AttributeChange>) {
    if before == after {
        return;
    }
    let members = |value: Option<&Value>| match value {
        Some(Value::Object(members)) => Some(members.clone()),
        // A missing item counts as an empty object.
        None | Some(Value::Null) if keys.is_empty() => Some(serde_json::Map::new()),
        _ => None,
    };
    let (Some(old), Some(new)) = (members(before), members(after)) else {
        changes.push(AttributeChange {
            path: attribute_path::join(&keys),
            keys,
            before: before.cloned(),
            after: after.cloned(),
        });
        return;
    };
    for key in new.keys().chain(old.keys().filter(|key| !new.contains_key(*key))) {
        let mut deeper = keys.clone();
        deeper.push(key.clone());
        compare(deeper, old.get(key), new.get(key), changes);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_differs_is_named() {
        let before = json!({ "a": 1, "b": { "c": [1], "d": 2 }, "gone": true });
        let after = json!({ "a": 1, "b": { "c": [2], "d": 2, "e": { "f": 1 } } });
        let found: Vec<String> = attribute_changes(&before, &after)
            .into_iter()
            .map(|it| {
                format!("{}: {:?} -> {:?}", it.path, it.before.map(|v| v.to_string()), it.after.map(|v| v.to_string()))
            })
            .collect();
        assert_eq!(
            found,
            [
                "b.c: Some(\"[1]\") -> Some(\"[2]\")",
                "b.e: None -> Some(\"{\\\"f\\\":1}\")",
                "gone: Some(\"true\") -> None",
            ]
        );
        assert_eq!(attribute_changes(&Value::Null, &json!({ "x": 1 })).len(), 1);
    }
}
