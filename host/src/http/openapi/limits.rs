//! The bounds of items, published: how long lists are, which texts have to be seen, how words are written, which
//! numbers are languages.
//!
//! They come from the tables that items are validated with.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::shapes::{self, reference, referred, types};
use crate::domain::name::{AUTHORED_NAME, NAME, NAME_MAX};
use crate::domain::{Kind, bounds, session_context, wording};

/// The pattern of a text with at least one visible character.
const VISIBLE: &str =
    r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*[^\x00-\x20\x7f-\xa0\s][^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$";
/// The pattern of a text without control characters except tabs and line ends.
const PRINTED: &str = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$";

/// Puts the bounds into the schemas of items and their parts.
pub(super) fn publish(document: &mut Value) {
    let mut schemas = shapes::take_schemas(document);
    if let Some(language) = schemas.get_mut("Language") {
        language["minimum"] = 1.into();
        language["maximum"] = wording::LANGUAGE_MAX.into();
        language["description"] =
            "A language as Windows numbers them, such as 1033 for English (United States).".into();
    }
    for (kind, attribute, most) in bounds::LISTS {
        if let Some(list) = at(&mut schemas, &format!("{kind:?}"), attribute) {
            limit(list, *most);
        }
    }
    let mut reached = BTreeSet::new();
    for kind in Kind::ALL {
        reach(&format!("{kind:?}"), &schemas, &mut reached);
    }
    for name in reached {
        if let Some(schema) = schemas.get_mut(&name) {
            shapes::each(schema, &mut |part| limit(part, bounds::LIST_MAX));
        }
    }
    for (kind, attribute) in wording::SHOWN {
        let Some(text) = at(&mut schemas, &format!("{kind:?}"), attribute) else { continue };
        let Some(name) = referred(text).map(str::to_owned) else { continue };
        if !name.starts_with("Visible") {
            text["$ref"] = reference(&format!("Visible{name}"))["$ref"].take();
            make_visible(&name, &mut schemas);
        }
    }
    for (kind, attribute) in wording::WORDS {
        make_words(&format!("{kind:?}"), attribute, &mut schemas);
    }
    bound_session(&mut schemas);
    if let Some(name) = at(&mut schemas, "CopyRequest", "uniqueName") {
        name["pattern"] = AUTHORED_NAME.into();
    }
    shapes::put_schemas(document, schemas);
}

/// Publishes the bounds of the session in a question.
fn bound_session(schemas: &mut Map<String, Value>) {
    for attribute in ["workstream", "entity", "template"] {
        if let Some(name) = at(schemas, "SessionInput", attribute) {
            name["maxLength"] = NAME_MAX.into();
        }
    }
    if let Some(context) = at(schemas, "SessionInput", "context") {
        context["maxProperties"] = session_context::KEYS_MAX.into();
        context["propertyNames"] = json!({"type": "string", "pattern": PRINTED});
        context["additionalProperties"] =
            json!({"type": "string", "pattern": PRINTED, "maxLength": session_context::VALUE_MAX});
    }
}

/// Makes the entries of a list words: texts that are written as names are.
fn make_words(name: &str, attribute: &str, schemas: &mut Map<String, Value>) {
    let Some(list) = at(schemas, name, attribute) else { return };
    let Some(text) = list.get("items").and_then(referred).map(str::to_owned) else { return };
    let word = format!("Word{text}");
    list["items"] = reference(&word);
    if let Some(mut schema) = schemas.get(&text).cloned() {
        schema["pattern"] = NAME.into();
        schema["minLength"] = 1.into();
        schemas.insert(word, schema);
    }
}

/// The schema of an attribute of `name`, through lists and the names of parts.
fn at<'a>(schemas: &'a mut Map<String, Value>, name: &str, attribute: &str) -> Option<&'a mut Value> {
    let (first, rest) = attribute.split_once('.').unwrap_or((attribute, ""));
    if rest.is_empty() {
        return schemas.get_mut(name)?.get_mut("properties")?.get_mut(first);
    }
    let part = schemas.get(name)?.get("properties")?.get(first)?;
    let part = part.get("items").unwrap_or(part);
    let next = referred(part)?.to_owned();
    at(schemas, &next, rest)
}

/// Bounds a list or a map that has no bound.
fn limit(schema: &mut Value, most: usize) {
    let keyword = match types(schema).find(|it| matches!(*it, "array" | "object")) {
        Some("array") => "maxItems",
        Some(_) if schema.get("additionalProperties").is_some_and(Value::is_object) => "maxProperties",
        _ => return,
    };
    if schema.get(keyword).is_none() {
        schema[keyword] = most.into();
    }
}

/// The names of `name` and of all its parts.
fn reach(name: &str, schemas: &Map<String, Value>, reached: &mut BTreeSet<String>) {
    let Some(schema) = schemas.get(name) else { return };
    if reached.insert(name.to_owned()) {
        let mut parts = Vec::new();
        shapes::each(&mut schema.clone(), &mut |part| parts.extend(referred(part).map(str::to_owned)));
        parts.iter().for_each(|part| reach(part, schemas, reached));
    }
}

/// Makes the schema of a text that has to be seen from the one of any text.
fn make_visible(name: &str, schemas: &mut Map<String, Value>) {
    let visible = format!("Visible{name}");
    if schemas.contains_key(&visible) {
        return;
    }
    let Some(mut schema) = schemas.get(name).cloned() else { return };
    let mut labelled = None;
    shapes::each(&mut schema, &mut |part| {
        if types(part).any(|it| it == "string") {
            part["pattern"] = VISIBLE.into();
            part["minLength"] = 1.into();
        } else if let Some(name) = referred(part).map(str::to_owned) {
            *part = reference(&format!("Visible{name}"));
            labelled = Some(name);
        }
    });
    schemas.insert(visible, schema);
    if let Some(name) = labelled
        && let Some(mut schema) = schemas.get(&name).cloned()
    {
        if let Some(default) = schema.pointer_mut("/properties/default") {
            default["pattern"] = VISIBLE.into();
            default["minLength"] = 1.into();
        }
        schemas.insert(format!("Visible{name}"), schema);
    }
}
