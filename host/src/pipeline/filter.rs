//! The difference that a change makes: the paths and values that differ, and whether a step's filter matches them.

use serde_json::{Map, Value};

use crate::domain::attribute_path;
use crate::domain::revision::ChangeRecord;

use super::registration::{Image, ImageKind, Registration};
use super::{Target, event};

/// A change with its difference, computed once for all steps.
#[derive(Debug, Clone)]
pub(super) struct Difference {
    pub(super) record: ChangeRecord,
    pub(super) changed: Vec<String>,
    values: String,
}

impl Difference {
    pub(super) fn of(record: ChangeRecord) -> Self {
        let nothing = Value::Object(Map::new());
        let (mut changed, values) = match (&record.before, &record.after) {
            (before, Some(after)) => {
                let mut changed = Vec::new();
                let values = differing(before.as_ref().unwrap_or(&nothing), after, &mut Vec::new(), &mut changed);
                (changed, values)
            }
            (_, None) => (Vec::new(), nothing),
        };
        changed.sort();
        Self { record, changed, values: values.to_string() }
    }

    /// Tells whether `filter` matches the change. A deletion matches every filter.
    pub(super) fn concerns(&self, filter: &[String]) -> bool {
        self.record.after.is_none() || concerns(filter, &self.changed)
    }

    /// Makes the target that `step` is called with.
    pub(super) fn target(&self, step: &Registration) -> Target {
        let image = |image: &Image| {
            let of = match image.kind {
                ImageKind::Pre => &self.record.before,
                ImageKind::Post => &self.record.after,
            };
            of.as_ref().map(|body| (image.alias.clone(), projected(body, &image.attributes).to_string()))
        };
        event::Target {
            kind: self.record.collection.clone(),
            name: self.record.name.clone(),
            changed: self.changed.clone(),
            values: self.values.clone(),
            images: step.images.iter().filter_map(image).collect(),
        }
    }
}

/// Tells whether `filter` matches an item of which the paths `changed` differ. An empty filter matches every item.
pub fn concerns(filter: &[String], changed: &[String]) -> bool {
    filter.is_empty() || filter.iter().any(|wanted| changed.iter().any(|changed| touches(wanted, changed)))
}

/// Tells whether the two paths are equal or one leads through the other.
fn touches(wanted: &str, changed: &str) -> bool {
    let within = |inner: &str, outer: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    within(wanted, changed) || within(changed, wanted)
}

/// Returns the members of `after` that differ from `before`, with `null` for a member that is gone, and pushes their
/// paths to `changed`.
fn differing(before: &Value, after: &Value, path: &mut Vec<String>, changed: &mut Vec<String>) -> Value {
    let (Value::Object(old), Value::Object(new)) = (before, after) else {
        changed.push(attribute_path::join(path));
        return after.clone();
    };
    let mut values = Map::new();
    for (key, value) in new {
        if old.get(key) == Some(value) {
            continue;
        }
        path.push(key.clone());
        let value = match (old.get(key), value) {
            (Some(old @ Value::Object(_)), Value::Object(_)) => differing(old, value, path, changed),
            _ => {
                changed.push(attribute_path::join(path));
                value.clone()
            }
        };
        path.pop();
        values.insert(key.clone(), value);
    }
    for key in old.keys().filter(|key| !new.contains_key(*key)) {
        path.push(key.clone());
        changed.push(attribute_path::join(path));
        path.pop();
        values.insert(key.clone(), Value::Null);
    }
    Value::Object(values)
}

/// Returns the attributes of `body` that `paths` lead to, or the whole body if there is no path.
fn projected(body: &Value, paths: &[String]) -> Value {
    if paths.is_empty() {
        return body.clone();
    }
    let mut image = Value::Object(Map::new());
    for path in paths {
        let keys = attribute_path::split(path);
        if let Some(value) = attribute_path::get(body, &keys) {
            crate::domain::merge_patch::merge(&mut image, attribute_path::patch(&keys, value.clone()));
        }
    }
    image
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn difference(before: Option<Value>, after: Option<Value>) -> Difference {
        Difference::of(ChangeRecord { collection: "profiles".to_owned(), name: "x".to_owned(), before, after })
    }

    #[test]
    fn only_what_really_differs_is_shown() {
        for (before, after, changed, values) in [
            (json!({"a": 1}), json!({"a": 1}), vec![], json!({})),
            (json!({"a": 1, "b": 2}), json!({"a": 3}), vec!["a", "b"], json!({"a": 3, "b": null})),
            (
                json!({"pane": {"mode": "x", "tools": [1]}}),
                json!({"pane": {"mode": "x", "tools": [1, 2]}}),
                vec!["pane.tools"],
                json!({"pane": {"tools": [1, 2]}}),
            ),
            (json!({"a": {"b.c": 1}}), json!({"a": {"b.c": 2}}), vec!["a.b~1c"], json!({"a": {"b.c": 2}})),
        ] {
            let found = difference(Some(before), Some(after));
            assert_eq!(
                (found.changed, found.values),
                (changed.into_iter().map(str::to_owned).collect(), values.to_string())
            );
        }
        let made = difference(None, Some(json!({"name": "X", "pane": {}})));
        assert_eq!(made.changed, ["name", "pane"]);
        let gone = difference(Some(json!({"name": "X"})), None);
        assert_eq!((gone.changed.len(), gone.values.as_str()), (0, "{}"));
    }

    #[test]
    fn a_filter_reaches_up_and_down_and_never_sideways() {
        let change = difference(Some(json!({"pane": {"mode": 1}})), Some(json!({"pane": {"mode": 2}})));
        for (filter, concerned) in [
            (vec![], true),
            (vec!["pane"], true),
            (vec!["pane.mode"], true),
            (vec!["pane.mode.deep"], true),
            (vec!["name"], false),
            (vec!["pan"], false),
            (vec!["pane.mo"], false),
            (vec!["name", "pane.mode"], true),
        ] {
            let filter: Vec<String> = filter.into_iter().map(str::to_owned).collect();
            assert_eq!(change.concerns(&filter), concerned, "{filter:?}");
        }
        assert!(difference(Some(json!({})), None).concerns(&["name".to_owned()]), "a deletion matches every filter");
    }

    #[test]
    fn an_image_holds_what_was_asked_for() {
        let body = json!({"name": "X", "pane": {"mode": 1, "tools": []}});
        assert_eq!(projected(&body, &[]), body);
        let paths = ["pane.mode".to_owned(), "nothing".to_owned()];
        assert_eq!(projected(&body, &paths), json!({"pane": {"mode": 1}}));
    }
}
