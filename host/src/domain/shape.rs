//! Refuses a list where an object is wanted. The reader of JSON would take such a list as the attributes in order; no
//! schema allows that.

use serde::Serialize;
use serde_json::Value;

/// The message about such a list.
pub(crate) const LIST_FOR_OBJECT: &str = "a list is given, and an object is expected: name its attributes";

/// Returns the place where `sent` has a list and `made`, the value read from it, has an object, as a path such as
/// `pane.tools[2]`.
pub(crate) fn list_for_object(sent: &Value, made: &impl Serialize) -> Option<String> {
    // Without a list there is nothing to compare.
    if !has_list(sent) {
        return None;
    }
    let made = serde_json::to_value(made).ok()?;
    let mut path = Vec::new();
    differs(sent, &made, &mut path).then(|| path.concat().trim_start_matches('.').to_owned())
}

fn has_list(value: &Value) -> bool {
    match value {
        Value::Array(_) => true,
        Value::Object(object) => object.values().any(has_list),
        _ => false,
    }
}

fn differs(sent: &Value, made: &Value, path: &mut Vec<String>) -> bool {
    match (sent, made) {
        (Value::Array(_), Value::Object(_)) => true,
        (Value::Array(sent), Value::Array(made)) => {
            let pairs = sent.iter().zip(made).enumerate();
            pairs.into_iter().any(|(place, (sent, made))| step(format!("[{place}]"), sent, made, path))
        }
        (Value::Object(sent), Value::Object(made)) => {
            let pairs = sent.iter().filter_map(|(key, sent)| Some((key, sent, made.get(key)?)));
            pairs.into_iter().any(|(key, sent, made)| step(format!(".{key}"), sent, made, path))
        }
        _ => false,
    }
}

/// Goes one level down. The level stays in `path` if a difference is below.
fn step(name: String, sent: &Value, made: &Value, path: &mut Vec<String>) -> bool {
    path.push(name);
    let differs = differs(sent, made, path);
    if !differs {
        path.pop();
    }
    differs
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Inner {
        #[serde(default)]
        one: u8,
        #[serde(default)]
        list: Vec<Inner>,
    }

    #[derive(Serialize, Deserialize)]
    struct Outer {
        inner: Inner,
        #[serde(default)]
        by_name: BTreeMap<String, Inner>,
    }

    #[test]
    fn a_list_in_place_of_an_object_is_found_at_any_depth() {
        for (sent, found) in [
            (json!({"inner": {"one": 1}}), None),
            (json!({"inner": {"one": 1, "list": [{"list": []}]}}), None),
            (json!({"inner": []}), Some("inner")),
            (json!({"inner": [1, []]}), Some("inner")),
            (json!({"inner": {"list": [{}, [1]]}}), Some("inner.list[1]")),
            (
                json!({"inner": {}, "by_name": {"a": {}, "b": {"list": [{"list": [[]]}]}}}),
                Some("by_name.b.list[0].list[0]"),
            ),
        ] {
            let made: Outer = serde_json::from_value(sent.clone()).unwrap();
            assert_eq!(list_for_object(&sent, &made).as_deref(), found, "{sent}");
        }
    }
}
