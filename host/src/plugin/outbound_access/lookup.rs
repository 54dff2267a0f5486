//! One attribute of one business record, asked by OData version 4 through a connector.
//!
//! Refuses names that could be more than a step of a path.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::Value;

use crate::domain::Connector;
use crate::domain::connector::is_entity;

use super::gateway::{Answered, OutboundCall, Refused};

/// What options of a query are written with, and what stands between them. Everything else is escaped.
const NOT_IN_OPTIONS: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Asks a connector for an attribute of the first record of a table that `options` find.
pub(in crate::plugin) fn look_up(
    asking: &mut OutboundCall<'_>,
    connector: &Connector,
    table: &str,
    attribute: &str,
    options: &str,
) -> Result<Answered<Option<String>>, Refused> {
    let path = path(connector, table, attribute, options)?;
    let (body, note) = asking.get(connector, &path)?;
    let bytes = body.len();
    Ok(Answered { answer: attribute_of(&body, attribute)?, note, bytes })
}

/// What is asked, behind the base address of the connector.
fn path(connector: &Connector, table: &str, attribute: &str, options: &str) -> Result<String, Refused> {
    if let Some(name) = [table, attribute].into_iter().find(|name| !is_entity(name)) {
        let shown: String = name.chars().take(100).collect();
        return Err(Refused::bad_query(format!("`{shown}` is no table and no attribute: use letters, digits and `_`")));
    }
    let set = connector.entity_sets.get(table).map_or(table, String::as_str);
    let options = options.trim().trim_start_matches('?');
    let has = |option: &str| options.split('&').any(|it| it.trim_start().starts_with(option));
    let mut query = Vec::new();
    if !options.is_empty() {
        query.push(utf8_percent_encode(options, NOT_IN_OPTIONS).to_string());
    }
    if !has("$select=") {
        query.push(format!("$select={attribute}"));
    }
    if !has("$top=") {
        query.push("$top=1".to_owned());
    }
    Ok(format!("/{set}?{}", query.join("&")))
}

/// The attribute of the first record in an answer.
fn attribute_of(body: &[u8], attribute: &str) -> Result<Option<String>, Refused> {
    let json: Value =
        serde_json::from_slice(body).map_err(|_| Refused::unavailable("the connector answered with no JSON"))?;
    let record = match json.get("value") {
        Some(Value::Array(records)) => records.first(),
        _ => return Err(Refused::unavailable("the connector answered with no list of records")),
    };
    Ok(match record.and_then(|record| record.get(attribute)) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(other) => Some(other.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_up_is_one_query_for_one_attribute() {
        let connector: Connector = serde_json::from_value(serde_json::json!({
            "kind": "odata", "url": "https://crm.example/api", "entitySets": {"contact": "contacts"}
        }))
        .unwrap();
        for (table, options, expected) in [
            ("contact", "", "/contacts?$select=fullname&$top=1"),
            ("lead", "", "/lead?$select=fullname&$top=1"),
            (
                "contact",
                "?$filter=lastname eq 'O''Brien & Söhne'",
                "/contacts?$filter=lastname%20eq%20'O''Brien%20&%20S%C3%B6hne'&$select=fullname&$top=1",
            ),
            ("contact", "$orderby=name&$top=1", "/contacts?$orderby=name&$top=1&$select=fullname"),
            ("contact", "$filter=a#b\r\nx", "/contacts?$filter=a%23b%0D%0Ax&$select=fullname&$top=1"),
        ] {
            assert_eq!(path(&connector, table, "fullname", options).unwrap(), expected, "{table} {options}");
        }
        for table in ["", "../x", "contacts(1)", "a/b", "a?b"] {
            assert_eq!(path(&connector, table, "fullname", "").unwrap_err().code, "bad-query", "{table}");
        }
    }

    #[test]
    fn the_first_record_answers() {
        for (body, expected) in [
            (r#"{"value":[{"a":"x"},{"a":"y"}]}"#, Ok(Some("x"))),
            (r#"{"value":[{"a":7}]}"#, Ok(Some("7"))),
            (r#"{"value":[{"a":null}]}"#, Ok(None)),
            (r#"{"value":[{}]}"#, Ok(None)),
            (r#"{"value":[]}"#, Ok(None)),
            (r#"{"a":"x"}"#, Err("unavailable")),
            ("<html>", Err("unavailable")),
        ] {
            let found = attribute_of(body.as_bytes(), "a").map_err(|refused| refused.code.into_owned());
            assert_eq!(
                found.as_ref().map(|it| it.as_deref()),
                expected.as_ref().map(|it| *it).map_err(|code| (*code).to_owned()).as_ref().map(|it| *it),
                "{body}"
            );
        }
    }
}
