//! The statuses that each operation answers with when something is wrong: one list for all operations.

use serde_json::{Value, json};

use super::shapes;

/// A status, its name among the components, and its description.
type Status = (&'static str, &'static str, &'static str);

const MODIFIED: Status = ("304", "NotModified", "`If-None-Match` names the tag that the answer would have.");

/// The failures that any call may be answered with.
const ALWAYS: &[Status] = &[
    (
        "400",
        "BadRequest",
        "A parameter, a header or the text of the body cannot be read, such as a limit out of its range or broken JSON.",
    ),
    ("401", "Unauthorized", "The request has no token, or its token does not serve."),
    ("403", "Forbidden", "The token lacks the privilege that the problem names."),
    (
        "409",
        "Conflict",
        "The request matches its schema, but breaks a rule or does not fit the state of the environment: a reference that leads nowhere, a name that is taken, two attributes that exclude each other.",
    ),
    ("500", "Broken", "The server failed. Its log has the id of the request."),
    (
        "503",
        "Busy",
        "There is no room for the request now, or it took too long. `Retry-After` may say when to repeat it.",
    ),
];

const MISSING: Status = ("404", "NotFound", "An item that the address or the question names does not exist.");
const PLUGIN: Status = ("504", "PluginTimeout", "A plugin that had to be asked took too long.");

/// The further failures of calls that change something or have a body.
const WRITING: &[Status] = &[
    ("412", "PreconditionFailed", "The current revision is not the one that `If-Match` or the body names."),
    ("422", "Unprocessable", "The request can be read, but does not match its schema."),
    ("507", "StorageFull", "There is no room left on the disk. Nothing was written."),
];

/// The further failures of calls with a body.
const SENDING: &[Status] = &[
    ("408", "SlowBody", "The body came too slowly."),
    ("413", "TooLarge", "The body is larger than the address takes."),
    ("415", "UnsupportedMediaType", "The body is of another type than the address takes."),
];

/// Adds the failures to the answers of each operation under `/api/`.
pub(super) fn list(document: &mut Value) {
    let mut used = vec![MODIFIED, MISSING, PLUGIN];
    used.extend([ALWAYS, WRITING, SENDING].concat());
    shapes::operations(document, &mut |path, method, operation| {
        if !path.starts_with("/api/") {
            return;
        }
        let reads = method == "get";
        let sends = operation.get("requestBody").is_some();
        let asks = path.ends_with("/experience");
        let is_about =
            path.contains('{') || path == "/api/v1/default-profile" || operation.get("parameters").is_some() || !reads;
        let mut statuses = ALWAYS.to_vec();
        statuses.extend(reads.then_some(MODIFIED));
        statuses.extend(is_about.then_some(MISSING));
        statuses.extend((!reads || asks).then_some(PLUGIN));
        statuses.extend(if reads && !asks { &[] } else { WRITING });
        statuses.extend(if sends { SENDING } else { &[] });
        for (status, name, _) in statuses {
            operation["responses"][status] = json!({"$ref": format!("#/components/responses/{name}")});
        }
        if let Some(responses) = operation["responses"].as_object_mut() {
            responses.shift_remove("default");
            responses.sort_keys();
        }
    });
    for (status, name, description) in used {
        let content = match status {
            "304" => Value::Null,
            _ => json!({"application/problem+json": {"schema": shapes::reference("ProblemDetails")}}),
        };
        let mut response = json!({ "description": description });
        if !content.is_null() {
            response["content"] = content;
        }
        document["components"]["responses"][name] = response;
    }
}
