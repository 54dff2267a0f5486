//! Headers of requests and answers: which operations read a header, and which set one.
//!
//! Handlers read headers by the types of their arguments, which no description beside them shows. A test sends each
//! header to each operation, so what is listed here and what handlers read cannot differ.

use serde_json::{Value, json};

use super::shapes;
use crate::http::query::By;

/// Writes to addresses whose content has no revision of its own. They refuse `If-Match` and `If-None-Match`.
const UNTAGGED: &[&str] = &[
    "/api/v1/imports",
    "/api/v1/outbox",
    "/api/v1/outbox/{id}",
    "/api/v1/outbox/{id}/retry",
    "/api/v1/plugin-bundle",
    "/api/v1/plugins",
    "/api/v1/plugins/{publisher}/{name}/recordings",
    "/api/v1/profiles/{uniqueName}/users",
    "/api/v1/profiles/{uniqueName}/users/{login}",
    "/api/v1/recordings/{id}",
    "/api/v1/secrets/{name}",
    "/api/v1/tokens",
    "/api/v1/tokens/{name}",
    "/api/v1/tokens/{name}/rotate",
    "/api/v1/upgrade-plans",
    "/api/v1/upgrades",
    "/api/v1/upgrades/baseline",
    "/api/v1/upgrades/{run}/abandon",
    "/api/v1/upgrades/{run}/resume",
    "/api/v1/upgrades/{run}/rollback",
];

/// Questions that are sent as a body. They write nothing.
const QUESTIONS: &[&str] = &[
    "/api/v1/experience",
    "/api/v1/plugins/{publisher}/{name}/comparison",
    "/api/v1/recordings/{id}/replay",
    "/api/v1/upgrade-plans",
];

/// Writes to addresses without an entity tag that make a revision all the same.
const REVISED: &[&str] = &[
    "/api/v1/imports",
    "/api/v1/plugin-bundle",
    "/api/v1/plugins",
    "/api/v1/profiles/{uniqueName}/users",
    "/api/v1/profiles/{uniqueName}/users/{login}",
];

/// The name of the schema of `*`. Generators of clients take no constant in a header.
const ANY_TAG: &str = "AnyTag";

/// Characters of a reason: no control characters.
const REASON: &str = r"^[^\x00-\x1f\x7f-\x9f]*$";

/// Adds to each operation the headers that it reads and sets.
pub(super) fn publish(document: &mut Value) {
    document["components"]["schemas"][ANY_TAG] =
        json!({"type": "string", "enum": ["*"], "description": "Whatever tag there is."});
    shapes::operations(document, &mut |path, method, operation| {
        if !path.starts_with("/api/") {
            return;
        }
        let read = read(path, method);
        if !read.is_empty() {
            let parameters = operation.as_object_mut().map(|it| it.entry("parameters").or_insert_with(|| json!([])));
            parameters.and_then(Value::as_array_mut).into_iter().for_each(|list| list.extend(read.iter().cloned()));
        }
        let answers = operation.get_mut("responses").and_then(Value::as_object_mut);
        for (status, answer) in answers.into_iter().flatten().filter(|(status, _)| status.starts_with('2')) {
            for (name, description, schema) in set(path, method, status) {
                answer["headers"][name] = json!({"description": description, "schema": schema});
            }
        }
    });
}

/// Returns the headers that an operation reads, as parameters.
fn read(path: &str, method: &str) -> Vec<Value> {
    let parameter = |name: &str, description: &str, schema: Value| json!({"name": name, "in": "header", "required": false, "description": description, "schema": schema});
    if method == "get" {
        let said = "Tags of answers that the caller has. An answer with one of them is 304 and has no body.";
        return if path.ends_with("/events") {
            Vec::new()
        } else {
            vec![parameter("If-None-Match", said, json!({"type": "string"}))]
        };
    }
    let mut read = Vec::new();
    if has_tag(path) {
        let said = "Tags of which the current item must have one, or `*` for any item. The write is refused with 412 otherwise.";
        read.push(parameter("If-Match", said, json!({"type": "string"})));
        let said = "`*`: the write is refused if the item exists already.";
        read.push(parameter("If-None-Match", said, shapes::reference(ANY_TAG)));
    }
    if has_reason(path) {
        let said = "The reason of the write, in UTF-8. The history repeats it.";
        let schema =
            json!({"type": "string", "maxLength": By::REASON_MAX, "pattern": REASON, "format": "loadout-reason"});
        read.push(parameter("X-Loadout-Reason", said, schema));
    }
    read
}

/// Tells whether `path` has an entity tag, which the author of a write may name.
fn has_tag(path: &str) -> bool {
    !UNTAGGED.contains(&path) && !QUESTIONS.contains(&path)
}

/// Tells whether the history keeps the reason of a write at `path`.
fn has_reason(path: &str) -> bool {
    !QUESTIONS.contains(&path) && !path.starts_with("/api/v1/tokens")
}

/// Returns the headers that an answer with `status` may have: name, description and schema.
fn set(path: &str, method: &str, status: &str) -> Vec<(&'static str, &'static str, Value)> {
    let text = || json!({"type": "string"});
    let mut set = Vec::new();
    if method == "get" && !path.ends_with("/events") {
        set.push(("ETag", "The tag of the answer, where the answer has at most 16 MiB.", text()));
    }
    if path == "/api/v1/users" {
        let said =
            "The number of people that were looked at, where an index did not suffice and they were more than 10,000.";
        set.push((
            "x-loadout-scanned",
            said,
            json!({"type": "integer", "format": "int64", "minimum": 0, "maximum": i64::MAX}),
        ));
    }
    if status == "201" {
        set.push(("Location", "The address of the created item.", text()));
    }
    if method != "get" && (has_tag(path) || REVISED.contains(&path)) {
        let said = "The revision that the write made.";
        set.push((
            "x-loadout-revision",
            said,
            json!({"type": "integer", "format": "int64", "minimum": 0, "maximum": i64::MAX}),
        ));
        let said = "Steps of plugins that failed and were passed over: plugin, step and code of each.";
        set.push(("x-loadout-skipped-steps", said, text()));
    }
    if path == "/api/v1/profiles/{uniqueName}" && matches!(method, "put" | "patch") && status == "200" {
        let said = "Only where other apps of the profile ended direct assignments: each profile that lost people, and how many. Twenty profiles at most, and 4 KiB; `N more` at the end says how many others there are.";
        set.push(("x-loadout-ended-assignments", said, text()));
    }
    set
}
