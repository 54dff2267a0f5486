//! Links of the OpenAPI document: from the operation that creates an item to those that read, change and delete it.

use serde_json::{Map, Value, json};

use super::shapes;

/// An operation that creates an item and names it in its answer.
struct Making {
    /// The address of the operation.
    from: &'static str,
    /// The address of the created item.
    place: &'static str,
    /// Each part of that address, with its place in the answer.
    parts: &'static [(&'static str, &'static str)],
}

impl Making {
    const fn new(from: &'static str, place: &'static str, parts: &'static [(&'static str, &'static str)]) -> Self {
        Self { from, place, parts }
    }
}

const MADE: &[Making] = &[
    Making::new("/api/v1/tokens", "/api/v1/tokens/{name}", &[("name", "/name")]),
    Making::new(
        "/api/v1/plugins",
        "/api/v1/plugins/{publisher}/{name}",
        &[("publisher", "/publisher"), ("name", "/name")],
    ),
    Making::new("/api/v1/upgrade-plans", "/api/v1/upgrade-plans/{plan}", &[("plan", "/id")]),
    Making::new("/api/v1/upgrades", "/api/v1/upgrades/{run}", &[("run", "/id")]),
    Making::new("/api/v1/upgrades/baseline", "/api/v1/upgrades/{run}", &[("run", "/id")]),
    Making::new(
        "/api/v1/profiles/{uniqueName}/copy",
        "/api/v1/profiles/{uniqueName}",
        &[("uniqueName", "/uniqueName")],
    ),
];

/// Adds links to the answers of each operation that creates an item.
pub(super) fn add(document: &mut Value) {
    let mut all = Vec::new();
    shapes::operations(document, &mut |path, method, operation| {
        if let Some(id) = operation.get("operationId").and_then(Value::as_str) {
            all.push((path.to_owned(), method.to_owned(), id.to_owned()));
        }
    });
    shapes::operations(document, &mut |path, method, operation| {
        let links = match method {
            "put" => to(&all, path, method, &|part| format!("$request.path.{part}")),
            "post" => match MADE.iter().find(|made| made.from == path) {
                Some(Making { place, parts, .. }) => to(&all, place, method, &|part| {
                    let found = parts.iter().find(|(name, _)| *name == part);
                    found.map_or_else(String::new, |(_, place)| format!("$response.body#{place}"))
                }),
                None => return,
            },
            _ => return,
        };
        let answers = operation.get_mut("responses").and_then(Value::as_object_mut);
        for (_, answer) in answers.into_iter().flatten().filter(|(status, _)| status.starts_with('2')) {
            if !links.is_empty() {
                answer["links"] = Value::Object(links.clone());
            }
        }
    });
}

/// Links to all operations at `place` and below that need no more than it names.
fn to(
    all: &[(String, String, String)],
    place: &str,
    method: &str,
    value: &dyn Fn(&str) -> String,
) -> Map<String, Value> {
    let known: Vec<&str> = parts(place).collect();
    let suits = |path: &str| {
        path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            && parts(path).count() == known.len()
    };
    let others = all.iter().filter(|(path, other, _)| suits(path) && (path != place || other != method));
    let links = others.map(|(_, _, id)| {
        let parameters: Map<String, Value> =
            known.iter().map(|part| ((*part).to_owned(), value(part).into())).collect();
        (id.clone(), json!({"operationId": id, "parameters": parameters}))
    });
    links.collect()
}

/// The parts of an address that are named by the caller.
fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}
