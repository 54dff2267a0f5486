//! JSON merge patch (RFC 7396): applies a patch, and finds the patch between two documents.

use serde_json::{Map, Value};

/// Merges `patch` into `target`: objects merge, `null` removes, anything else replaces.
pub fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(target) = target else { return };
    for (key, value) in patch {
        if value.is_null() {
            target.shift_remove(&key);
        } else {
            merge(target.entry(key).or_insert(Value::Null), value);
        }
    }
}

/// Returns the patch that makes `to` of `from`, if there is one: there is none where `to` has a member that is `null`.
///
/// A list is replaced whole, because a merge patch cannot reach into one.
pub fn between(from: &Value, to: &Value) -> Option<Value> {
    let patch = difference(from, to);
    let mut merged = from.clone();
    merge(&mut merged, patch.clone());
    (merged == *to).then_some(patch)
}

fn difference(from: &Value, to: &Value) -> Value {
    let (Value::Object(from), Value::Object(to)) = (from, to) else { return to.clone() };
    let mut patch = Map::new();
    for (key, wanted) in to {
        match from.get(key) {
            Some(there) if there == wanted => {}
            Some(there) => {
                patch.insert(key.clone(), difference(there, wanted));
            }
            None => {
                patch.insert(key.clone(), wanted.clone());
            }
        }
    }
    let gone = from.keys().filter(|key| !to.contains_key(*key));
    patch.extend(gone.map(|key| (key.clone(), Value::Null)));
    Value::Object(patch)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_examples_of_the_standard_hold() {
        for (mut target, patch, merged) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a": "b"}), json!(["c"]), json!(["c"])),
            (json!({"a": "foo"}), json!(null), json!(null)),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            let before = target.clone();
            merge(&mut target, patch.clone());
            assert_eq!(target, merged, "{before} with {patch}");
        }
    }

    #[test]
    fn the_patch_between_two_documents_makes_one_of_the_other() {
        for (from, to, patch) in [
            (json!({"a": 1}), json!({"a": 1}), json!({})),
            (json!({"a": {"b": 1, "c": 2}}), json!({"a": {"b": 1, "d": 3}}), json!({"a": {"d": 3, "c": null}})),
            (json!({"a": [1, 2]}), json!({"a": [2, 1]}), json!({"a": [2, 1]})),
            (json!({}), json!({"a": [{"b": null}]}), json!({"a": [{"b": null}]})),
            (json!({"a": "x"}), json!({"a": {"b": {}}}), json!({"a": {"b": {}}})),
        ] {
            assert_eq!(between(&from, &to), Some(patch), "from {from} to {to}");
        }
        for to in [json!({"a": null}), json!({"b": {"c": null}})] {
            assert_eq!(between(&json!({"a": 1}), &to), None, "nothing can be patched to `null`: {to}");
        }
    }
}
