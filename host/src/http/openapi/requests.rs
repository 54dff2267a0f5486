//! Schemas of request bodies, where a request may send less than the answer shows.
//!
//! An answer names its item and says what the store knows about it. A body may repeat both, so that what was read can
//! be written back, and has to say neither: it has a schema of its own. A patch (RFC 7396) is the same with nothing
//! required, attributes taken away by `null`, and objects patched in turn.

use serde_json::{Map, Value, json};

use super::shapes::{self, reference, referred, types};

/// The attributes of an answer that a body may repeat.
const REPEATED: [&str; 2] = ["uniqueName", "meta"];

/// Gives requests their own schemas.
pub(super) fn separate(document: &mut Value) {
    let mut schemas = shapes::take_schemas(document);
    let mut new = Map::new();
    shapes::operations(document, &mut |path, method, operation| {
        let patched = schema_patched(path, method, &schemas);
        let Some(content) = operation.pointer_mut("/requestBody/content").and_then(Value::as_object_mut) else {
            return;
        };
        for body in content.values_mut() {
            if let Some(item) = &patched {
                body["schema"] = reference(&patch(&input(item, &schemas, &mut new), &schemas, &mut new));
            } else if let Some(name) = body.get("schema").and_then(referred) {
                body["schema"] = reference(&input(name, &schemas, &mut new));
            }
        }
        operation["requestBody"]["required"] = true.into();
    });
    schemas.extend(new);
    shapes::put_schemas(document, schemas);
}

/// The schema of the item that an operation patches.
fn schema_patched(path: &str, method: &str, schemas: &Map<String, Value>) -> Option<String> {
    let collection = path.strip_prefix("/api/v1/")?.strip_suffix("/{uniqueName}").filter(|_| method == "patch")?;
    let kind = crate::domain::Kind::ALL.iter().find(|kind| kind.collection() == collection)?;
    Some(format!("{kind:?}")).filter(|name| schemas.contains_key(name))
}

/// The name of what a request sends of `name`.
fn input(name: &str, schemas: &Map<String, Value>, new: &mut Map<String, Value>) -> String {
    let Some(shown) = schemas.get(name).filter(|it| it.pointer("/properties/meta").is_some()) else {
        return name.to_owned();
    };
    let mut body = shown.clone();
    if let Some(required) = body["required"].as_array_mut() {
        required.retain(|attribute| !REPEATED.contains(&attribute.as_str().unwrap_or_default()));
    }
    if let Some(name) = body.pointer_mut("/properties/uniqueName").and_then(Value::as_object_mut) {
        name.shift_remove("readOnly");
    }
    let mut meta = schemas.get("Meta").cloned().unwrap_or_default();
    meta["additionalProperties"] = false.into();
    meta["description"] = "What an answer said of the item. The write is refused if it is so no more.".into();
    if let Some(meta) = meta.as_object_mut() {
        meta.shift_remove("required");
    }
    new.insert("MetaInput".to_owned(), meta);
    body["properties"]["meta"] = reference("MetaInput");
    let name = format!("{name}Input");
    new.insert(name.clone(), body);
    name
}

/// The name of what patches `name`.
fn patch(name: &str, schemas: &Map<String, Value>, new: &mut Map<String, Value>) -> String {
    let patched = format!("{}Patch", name.strip_suffix("Input").unwrap_or(name));
    if new.contains_key(&patched) {
        return patched;
    }
    let Some(mut body) = new.get(name).or_else(|| schemas.get(name)).cloned() else { return name.to_owned() };
    let required = body.as_object_mut().and_then(|body| body.shift_remove("required")).unwrap_or_default();
    let is_required = |attribute: &str| required.as_array().is_some_and(|it| it.iter().any(|it| it == attribute));
    // Before its parts: they may lead back here.
    new.insert(patched.clone(), Value::Null);
    for form in body.get_mut("oneOf").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(part) = patchable(form, schemas) {
            *form = reference(&patch(&part, schemas, new));
        }
    }
    let attributes = body.get_mut("properties").and_then(Value::as_object_mut);
    for (attribute, schema) in attributes.into_iter().flatten() {
        if let Some(object) = schema.as_object_mut() {
            object.shift_remove("default");
        }
        if let Some(entry) = schema.get_mut("additionalProperties").filter(|it| it.is_object()) {
            allow_null(entry);
        }
        if let Some(part) = patchable(schema, schemas) {
            let described = schema.get("description").cloned();
            *schema = reference(&patch(&part, schemas, new));
            if let Some(description) = described {
                schema["description"] = description;
            }
        }
        if !is_required(attribute) && !REPEATED.contains(&attribute.as_str()) {
            allow_null(schema);
        }
    }
    new.insert(patched.clone(), body);
    patched
}

/// The name of an object with attributes that a patch goes into.
fn patchable(schema: &Value, schemas: &Map<String, Value>) -> Option<String> {
    let choice = schema.get("oneOf").and_then(Value::as_array).filter(|list| shapes::is_optional(list));
    let one = choice.map_or(schema, |list| list.iter().find(|one| referred(one).is_some()).unwrap_or(schema));
    let name = referred(one)?;
    let named = schemas.get(name)?;
    // A text with its wordings in other languages is one of two forms, and a patch goes into the second.
    let is_wording = name.contains("Localized");
    ((named.get("properties").is_some() && name != "MetaInput") || is_wording).then(|| name.to_owned())
}

/// Lets an attribute be taken away.
fn allow_null(schema: &mut Value) {
    if types(schema).any(|it| it == "null") || schema.get("oneOf").is_some_and(has_null) {
        return;
    }
    if let Some(Value::Array(list)) = schema.get_mut("type") {
        list.push("null".into());
    } else if let Some(Value::String(only)) = schema.get("type").cloned() {
        schema["type"] = json!([only, "null"]);
    } else {
        let description = schema.get("description").cloned();
        *schema = json!({"oneOf": [schema.take(), {"type": "null"}]});
        if let Some(description) = description {
            schema["description"] = description;
        }
    }
}

fn has_null(choice: &Value) -> bool {
    choice.as_array().is_some_and(|list| list.iter().any(|one| types(one).any(|it| it == "null")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_repeats_what_an_answer_says_and_a_patch_takes_away() {
        let mut document = json!({
            "paths": {"/api/v1/queues/{uniqueName}": {
                "put": {"requestBody": {"content": {"application/json": {"schema": reference("Queue")}}}},
                "patch": {"requestBody": {"content": {"application/merge-patch+json": {"schema": {}}}}},
                "get": {"responses": {"200": {"content": {"application/json": {"schema": reference("Queue")}}}}},
            }},
            "components": {"schemas": {
                "Meta": {"type": "object", "required": ["layer"], "properties": {"layer": {"type": "string"}}},
                "Queue": {"type": "object", "additionalProperties": false, "required": ["name", "uniqueName", "meta"], "properties": {
                    "meta": reference("Meta"), "name": {"type": "string"}, "private": {"type": "boolean"},
                    "uniqueName": {"type": "string", "readOnly": true}, "hours": reference("Hours"),
                }},
                "Hours": {"type": "object", "required": ["from"], "properties": {"from": {"type": "integer"}}},
            }},
        });
        separate(&mut document);
        let schemas = &document["components"]["schemas"];
        assert_eq!(schemas["Queue"]["required"], json!(["name", "uniqueName", "meta"]));
        assert_eq!(schemas["QueueInput"]["required"], json!(["name"]));
        assert_eq!(schemas["MetaInput"]["required"], Value::Null);
        let patch = &schemas["QueuePatch"]["properties"];
        assert_eq!(patch["name"]["type"], "string", "what is required cannot be taken away");
        assert_eq!(patch["private"]["type"], json!(["boolean", "null"]));
        assert_eq!(patch["hours"]["oneOf"][0], reference("HoursPatch"));
        assert_eq!(schemas["HoursPatch"]["required"], Value::Null);
    }
}
