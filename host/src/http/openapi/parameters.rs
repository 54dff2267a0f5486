//! Parameters of addresses: publishes the pattern of each name in an address, once for all operations.

use serde_json::{Value, json};

use super::shapes::{self, types};
use crate::domain::Kind;
use crate::domain::name::{AUTHORED_NAME, NAME, NAME_MAX, NEW_NAME};

/// The pattern of the name of a plugin, its publisher, a connector or a secret.
const HANDLE: &str = "^[a-z][a-z0-9-]{0,63}$";
/// The pattern of a version of a plugin.
const VERSION: &str = "^(0|[1-9][0-9]{0,8})(\\.(0|[1-9][0-9]{0,8})){2}$";

/// Adds its pattern to each parameter of each address.
pub(super) fn bound(document: &mut Value) {
    shapes::operations(document, &mut |path, method, operation| {
        let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
        for parameter in parameters.into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap_or_default().to_owned();
            let schema = &mut parameter["schema"];
            if types(schema).all(|it| it != "string") {
                continue;
            }
            let said = if parameter["in"] == "path" { in_path(path, method, &name) } else { in_query(path, &name) };
            if let (Some(schema), Value::Object(said)) = (parameter["schema"].as_object_mut(), said) {
                for (keyword, value) in said {
                    schema.entry(keyword).or_insert(value);
                }
            }
        }
    });
}

fn in_path(path: &str, method: &str, name: &str) -> Value {
    let handle = || json!({"pattern": HANDLE, "minLength": 1, "maxLength": 64});
    match name {
        "uniqueName" if method == "put" && is_authored(path) => {
            json!({"pattern": AUTHORED_NAME, "minLength": 5, "maxLength": NAME_MAX})
        }
        "uniqueName" if method == "put" => json!({"pattern": NEW_NAME, "minLength": 1, "maxLength": NAME_MAX}),
        "uniqueName" | "login" => json!({"pattern": NAME, "minLength": 1, "maxLength": NAME_MAX}),
        "connector" | "publisher" | "tool" | "step" => handle(),
        "name" if path.contains("/tokens/") => {
            json!({"pattern": "^[a-z0-9][a-z0-9._-]*$", "minLength": 1, "maxLength": 64})
        }
        "name" => handle(),
        "version" => json!({"pattern": VERSION, "maxLength": 29}),
        "id" => json!({"pattern": "^[0-9a-fA-F]{32}$"}),
        _ => json!({"minLength": 1, "maxLength": 200}),
    }
}

/// Whether what is put at `path` has a name with a prefix.
fn is_authored(path: &str) -> bool {
    let collection = path.strip_prefix("/api/v1/").and_then(|rest| rest.strip_suffix("/{uniqueName}"));
    Kind::ALL.iter().any(|kind| Some(kind.collection()) == collection && kind.is_prefixed())
}

fn in_query(path: &str, name: &str) -> Value {
    match name {
        "filter" => json!({"format": "loadout-filter", "minLength": 1}),
        "order" => json!({"format": "loadout-order", "minLength": 1}),
        "after" if path.ends_with("/recordings") || path.ends_with("/traces") => {
            json!({"pattern": "^[0-9a-fA-F]{32}$"})
        }
        "name" if path.ends_with("/export") => json!({"pattern": "^[A-Za-z_][A-Za-z0-9_]{0,64}$"}),
        "version" if path.ends_with("/export") => json!({"pattern": "^[0-9]{1,9}(\\.[0-9]{1,9}){3}$"}),
        "version" if !path.ends_with("/traces") => json!({"pattern": VERSION, "maxLength": 29}),
        "prefix" => json!({"pattern": "^[A-Za-z0-9]{3,8}$"}),
        _ => json!({}),
    }
}
