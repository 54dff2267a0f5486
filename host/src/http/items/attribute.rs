//! Attributes of an item's JSON form, as filters and orders name them: `name`, `productivityPane.mode`, `meta/layer`.

use std::cmp::Ordering;
use std::fmt;

use serde_json::Value;

/// The way to an attribute. Invariant: it has at least one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::http) struct Path(Vec<String>);

impl Path {
    /// Splits `typed` at dots and slashes; nothing if a step is empty or the first is not among `known`.
    pub(in crate::http) fn parse(typed: &str, known: &[String]) -> Result<Self, String> {
        let steps: Vec<String> = typed.split(['.', '/']).map(str::to_owned).collect();
        let first = steps.first().map_or("", String::as_str);
        if steps.iter().any(String::is_empty) {
            return Err(format!("`{typed}` is no attribute: write it as `name` or `productivityPane.mode`"));
        }
        if !known.iter().any(|known| known == first) {
            return Err(format!("there is no attribute `{first}`: the attributes are `{}`", known.join("`, `")));
        }
        Ok(Self(steps))
    }

    /// Whether it is the way to the item's own attribute `name`.
    pub(in crate::http) fn is(&self, name: &str) -> bool {
        matches!(self.0.as_slice(), [only] if only == name)
    }

    /// Every value the path leads to: lists on the way, and at its end, stand for each of their entries.
    pub(in crate::http) fn values<'a>(&self, item: &'a Value) -> Vec<&'a Value> {
        let mut found = vec![item];
        for step in &self.0 {
            found = found.into_iter().flat_map(entries).filter_map(|value| value.get(step)).collect();
        }
        found.into_iter().flat_map(entries).map(wording).collect()
    }

    /// The one value an order sorts by: the first, `null` without one.
    pub(in crate::http) fn value(&self, item: &Value) -> Value {
        self.values(item).first().map_or(Value::Null, |value| (*value).clone())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

fn entries(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(entries) => entries.iter().collect(),
        value => vec![value],
    }
}

/// A text in several languages counts as its default wording.
fn wording(value: &Value) -> &Value {
    match (value.get("default"), value.get("labels")) {
        (Some(default), Some(_)) => default,
        _ => value,
    }
}

/// Orders values: nothing, switches, numbers, texts, then whatever is no single value.
pub(in crate::http) fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap_or_default(), b.as_f64().unwrap_or_default());
            a.total_cmp(&b)
        }
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (a, b) => class(a).cmp(&class(b)),
    }
}

/// Values of one class can be compared.
pub(in crate::http) fn class(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) | Value::Object(_) => 4,
    }
}
