//! Paths of attributes: the keys that lead into an item's JSON form, joined by dots.
//!
//! A key may hold a dot itself; within a path it is written `~1`, and a tilde `~0`.

use serde_json::{Value, json};

/// Joins `keys` into a path.
pub fn join<K: AsRef<str>>(keys: &[K]) -> String {
    let escaped = keys.iter().map(|key| key.as_ref().replace('~', "~0").replace('.', "~1"));
    escaped.collect::<Vec<_>>().join(".")
}

/// Splits a path into its keys.
pub fn split(path: &str) -> Vec<String> {
    path.split('.').map(|key| key.replace("~1", ".").replace("~0", "~")).collect()
}

/// Returns the value that the keys lead to.
pub fn get<'a, K: AsRef<str>>(body: &'a Value, keys: &[K]) -> Option<&'a Value> {
    keys.iter().try_fold(body, |value, key| value.get(key.as_ref()))
}

/// Makes the merge patch that sets the value that the keys lead to.
pub fn patch<K: AsRef<str>>(keys: &[K], value: Value) -> Value {
    keys.iter().rev().fold(value, |value, key| json!({ key.as_ref(): value }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_along_its_keys_whatever_they_hold() {
        for keys in [&["a"][..], &["a", "b"], &["a.b", "~", "~1", "c~0.d"]] {
            let path = join(keys);
            assert_eq!(split(&path), keys, "{path}");
            assert_eq!(get(&patch(keys, json!(7)), keys), Some(&json!(7)), "{path}");
        }
        assert_eq!(join(&["productivityPane", "mode"]), "productivityPane.mode");
    }
}
