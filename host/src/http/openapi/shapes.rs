//! The schemas of the document: every object and every choice of words has a name of its own, and is said once.
//!
//! Descriptions beside the types nest what Rust nests. Programs that generate code from a document make a type of each
//! named schema and guess names for all others, until two guesses are the same. So what is flattened into something
//! else is merged here, and what is described in place moves to a name that follows from where it was.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// Where named schemas are.
pub(super) const PLACE: &str = "#/components/schemas/";

/// Keywords whose values are values and no schemas.
const VALUES: [&str; 5] = ["default", "example", "examples", "const", "enum"];

/// Gives names to all schemas of `document`, and takes away what nothing leads to.
pub(super) fn name_all(document: &mut Value) {
    let mut schemas = take_schemas(document);
    rename(document, &mut schemas);
    let merged: Map<String, Value> =
        schemas.iter().map(|(name, schema)| (name.clone(), merged(schema, &schemas))).collect();
    schemas = merged;
    for schema in schemas.values_mut() {
        each(schema, &mut |schema| {
            say_constant(schema);
            say_range(schema);
            // The same thing twice is taken as once.
            if let Some(object) = schema.as_object_mut() {
                object.shift_remove("uniqueItems");
            }
        });
    }
    for name in schemas.keys().cloned().collect::<Vec<_>>() {
        let mut schema = schemas[&name].take();
        move_parts(&mut schema, &name, &mut schemas);
        schemas[&name] = schema;
    }
    if let Some(paths) = document.get_mut("paths") {
        each(paths, &mut |schema| {
            say_range(schema);
            if let Some(name) = same_choice(schema, &schemas) {
                *schema = reference(&name);
            }
        });
    }
    operations(document, &mut |_, _, operation| {
        let of = pascal(operation["operationId"].as_str().unwrap_or_default());
        for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
            let name = format!("{of}{}", pascal(parameter["name"].as_str().unwrap_or_default()));
            move_part(&mut parameter["schema"], &name, &mut schemas);
        }
    });
    put_schemas(document, schemas);
}

/// The named schemas, taken out of the document while it is worked on.
pub(super) fn take_schemas(document: &mut Value) -> Map<String, Value> {
    match document.pointer_mut("/components/schemas").map(Value::take) {
        Some(Value::Object(schemas)) => schemas,
        _ => Map::new(),
    }
}

/// Puts the named schemas back, without those that nothing leads to.
pub(super) fn put_schemas(document: &mut Value, mut schemas: Map<String, Value>) {
    let (mut reached, mut next) = (BTreeSet::new(), BTreeSet::new());
    references(document, &mut next);
    while let Some(name) = next.pop_first() {
        if let Some(schema) = schemas.get(&name)
            && reached.insert(name)
        {
            references(schema, &mut next);
        }
    }
    schemas.retain(|name, _| reached.contains(name));
    schemas.sort_keys();
    document["components"]["schemas"] = Value::Object(schemas);
}

/// A schema that is another one, by its name.
pub(super) fn reference(name: &str) -> Value {
    json!({"$ref": format!("{PLACE}{name}")})
}

/// The name a schema refers to, if it refers to one.
pub(super) fn referred(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix(PLACE)
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            found.extend(referred(value).map(str::to_owned));
            object.values().for_each(|value| references(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

/// Visits everything that may be a schema, the innermost first.
pub(super) fn each(value: &mut Value, visit: &mut dyn FnMut(&mut Value)) {
    match value {
        Value::Object(object) => {
            for (key, value) in object.iter_mut().filter(|(key, _)| !VALUES.contains(&key.as_str())) {
                // Attributes may be called as keywords are.
                if let (true, Value::Object(attributes)) = (key == "properties", &mut *value) {
                    attributes.values_mut().for_each(|value| each(value, visit));
                } else {
                    each(value, visit);
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|value| each(value, visit)),
        _ => return,
    }
    visit(value);
}

/// Visits the operations of `document`, with their paths and methods.
pub(super) fn operations(document: &mut Value, visit: &mut dyn FnMut(&str, &str, &mut Value)) {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    for (path, item) in paths.into_iter().flatten() {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            visit(path, method, operation);
        }
    }
}

/// Names of generic types repeat the type they are about, and names of numbers are those of Rust.
fn rename(document: &mut Value, schemas: &mut Map<String, Value>) {
    let renamed = |name: &str| match name.split_once("Name_") {
        Some((kind, of)) if kind == of => format!("{kind}Name"),
        _ if name == "u32" => "Language".to_owned(),
        _ => name.to_owned(),
    };
    *schemas = std::mem::take(schemas).into_iter().map(|(name, schema)| (renamed(&name), schema)).collect();
    let mut follow = |schema: &mut Value| {
        if let Some(name) = referred(schema).map(renamed) {
            schema["$ref"] = format!("{PLACE}{name}").into();
        }
    };
    schemas.values_mut().chain([document]).for_each(|value| each(value, &mut follow));
}

/// A schema whose `allOf` is one object, or a choice of objects if there is a choice in it.
fn merged(schema: &Value, schemas: &Map<String, Value>) -> Value {
    let Some(parts) = schema.get("allOf").and_then(Value::as_array) else { return schema.clone() };
    let mut all = vec![json!({"type": "object"})];
    for part in parts {
        let choices = choices(part, schemas);
        all = all.iter().flat_map(|one| choices.iter().map(|other| joined(one, other))).collect();
    }
    let mut whole = if all.len() == 1 { all.remove(0) } else { json!({ "oneOf": all }) };
    if let Some(description) = schema.get("description") {
        whole["description"] = description.clone();
    }
    whole
}

/// The objects that a schema is one of.
fn choices(schema: &Value, schemas: &Map<String, Value>) -> Vec<Value> {
    if let Some(named) = referred(schema).and_then(|name| schemas.get(name)) {
        return choices(named, schemas);
    }
    let schema = merged(schema, schemas);
    match schema.get("oneOf").and_then(Value::as_array) {
        Some(list) => list.iter().flat_map(|one| choices(one, schemas)).collect(),
        None => vec![schema],
    }
}

/// An object with the attributes of two.
fn joined(one: &Value, other: &Value) -> Value {
    let mut whole = one.clone();
    for keyword in ["properties", "required"] {
        match (whole.get_mut(keyword), other.get(keyword)) {
            (Some(Value::Object(whole)), Some(Value::Object(more))) => whole.extend(more.clone()),
            (Some(Value::Array(whole)), Some(Value::Array(more))) => whole.extend(more.iter().cloned()),
            (None, Some(more)) => whole[keyword] = more.clone(),
            _ => {}
        }
    }
    // What is flattened is told apart by its own words.
    if let (None, Some(description)) = (whole.get("description"), other.get("description")) {
        whole["description"] = description.clone();
    }
    whole
}

/// A choice of one word is that word.
fn say_constant(schema: &mut Value) {
    let only = match schema.get("enum").and_then(Value::as_array).map(Vec::as_slice) {
        Some([only]) => only.clone(),
        _ => return,
    };
    if let Some(object) = schema.as_object_mut() {
        object.shift_remove("enum");
        object.insert("const".to_owned(), only);
    }
}

/// A number says how large it can be: types of Rust without a sign do not fit the formats of the same size.
fn say_range(schema: &mut Value) {
    if !types(schema).any(|it| it == "integer") {
        return;
    }
    let has_sign = schema.get("minimum").is_none();
    let format = schema.get("format").and_then(Value::as_str).unwrap_or("int64").to_owned();
    let (least, most) = match (format.as_str(), has_sign) {
        ("int32", true) => (i64::from(i32::MIN), i64::from(i32::MAX)),
        ("int32", false) => (0, i64::from(u32::MAX)),
        (_, true) => (i64::MIN, i64::MAX),
        (_, false) => (0, i64::MAX),
    };
    for (keyword, value) in [("minimum", least), ("maximum", most)] {
        if schema.get(keyword).is_none() {
            schema[keyword] = value.into();
        }
    }
    let fits = schema["maximum"].as_i64().is_some_and(|most| most <= i64::from(i32::MAX));
    schema["format"] = if fits { "int32" } else { "int64" }.into();
}

/// The types that a schema names.
pub(super) fn types(schema: &Value) -> impl Iterator<Item = &str> {
    let named = schema.get("type");
    let list = named.and_then(Value::as_array).into_iter().flatten();
    list.chain(named).filter_map(Value::as_str)
}

/// Moves what is described within the schema called `name` to names of their own.
fn move_parts(schema: &mut Value, name: &str, schemas: &mut Map<String, Value>) {
    let Some(object) = schema.as_object_mut() else { return };
    if let Some(Value::Object(attributes)) = object.get_mut("properties") {
        for (attribute, part) in attributes {
            move_part(part, &format!("{name}{}", pascal(attribute)), schemas);
        }
    }
    for (keyword, end) in [("items", "Item"), ("additionalProperties", "Value"), ("propertyNames", "Key")] {
        if let Some(part) = object.get_mut(keyword) {
            move_part(part, &format!("{name}{end}"), schemas);
        }
    }
    if let Some(Value::Array(list)) = object.get_mut("oneOf") {
        for (place, part) in list.iter_mut().enumerate() {
            let name = format!("{name}{}", variant(part).unwrap_or_else(|| format!("Form{}", place + 1)));
            move_part(part, &name, schemas);
        }
    }
}

/// Moves one part to `name`, if it is an object or a choice.
fn move_part(part: &mut Value, name: &str, schemas: &mut Map<String, Value>) {
    if let Some(known) = same_choice(part, schemas) {
        *part = described(reference(&known), part);
        return;
    }
    move_parts(part, name, schemas);
    let is_object = part.get("properties").and_then(Value::as_object).is_some_and(|attributes| !attributes.is_empty());
    let is_choice = part.get("oneOf").and_then(Value::as_array).is_some_and(|list| !is_optional(list));
    if is_object || is_choice || part.get("enum").is_some() {
        let moved = described(reference(name), part);
        schemas.insert(name.to_owned(), std::mem::replace(part, moved));
    }
}

/// Whether a choice is between something and nothing.
pub(super) fn is_optional(list: &[Value]) -> bool {
    list.iter().filter(|one| types(one).all(|it| it != "null")).count() < 2
}

/// The name of the schema that chooses between the same words.
fn same_choice(part: &Value, schemas: &Map<String, Value>) -> Option<String> {
    let words = part.get("enum")?;
    schemas.iter().find(|(_, schema)| schema.get("enum") == Some(words)).map(|(name, _)| name.clone())
}

/// A reference with the description of what it stands for.
fn described(mut reference: Value, part: &Value) -> Value {
    if let Some(description) = part.get("description") {
        reference["description"] = description.clone();
    }
    reference
}

/// What tells one object of a choice from the others: the word that only it has.
fn variant(part: &Value) -> Option<String> {
    let attributes = part.get("properties")?.as_object()?;
    attributes.values().find_map(|attribute| attribute.get("const")?.as_str()).map(pascal)
}

/// A word as names of schemas have it.
fn pascal(word: &str) -> String {
    let mut name = String::new();
    for part in word.split(|c: char| !c.is_ascii_alphanumeric()) {
        let mut letters = part.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.extend(letters);
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_flattened_is_merged_and_what_is_nested_gets_a_name() {
        let mut document = json!({
            "paths": {"/x": {"$ref": "#/components/schemas/Record"}},
            "components": {"schemas": {
                "Event": {"oneOf": [
                    {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string", "enum": ["one-more"]}}},
                    {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string", "enum": ["less"]}}},
                ]},
                "Record": {"allOf": [
                    {"$ref": "#/components/schemas/Event"},
                    {"type": "object", "required": ["id"], "properties": {
                        "id": {"type": "integer", "format": "int32", "minimum": 0},
                        "of": {"type": "string", "enum": ["a", "b"]},
                    }},
                ]},
                "Unused": {"type": "object"},
            }},
        });
        name_all(&mut document);
        let schemas = &document["components"]["schemas"];
        let names: Vec<_> = schemas.as_object().unwrap().keys().collect();
        assert_eq!(names, ["Record", "RecordLess", "RecordOneMore", "RecordOneMoreOf"]);
        assert_eq!(schemas["RecordOneMore"]["required"], json!(["kind", "id"]));
        assert_eq!(schemas["RecordOneMore"]["properties"]["kind"]["const"], "one-more");
        assert_eq!(schemas["RecordOneMore"]["properties"]["id"]["maximum"], u32::MAX);
        assert_eq!(schemas["RecordLess"]["properties"]["of"], schemas["RecordOneMore"]["properties"]["of"]);
    }
}
