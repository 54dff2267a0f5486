//! Imports application tab templates and their parameters.
//!
//! Parameters occur twice: as rows, which administrators edit, and as JSON in the template, which is a copy. The rows
//! win, a parameter that only one of them has is kept, and every real disagreement is reported; no value and an empty
//! value agree. A tab is closable unless it is pinned (ruling 8.8).

use std::collections::BTreeMap;

use serde_json::Value;

use crate::domain::{ApplicationTabTemplate, Kind, PageType, State, Text};

use super::json;
use super::row::Row;
use super::rows::Rows;
use super::unreadable::Unreadable;
use super::work::{Drafts, Work};

pub(crate) const TEMPLATE: &str = "msdyn_applicationtabtemplate";
pub(crate) const PARAMETER: &str = "msdyn_templateparameter";

pub(crate) const PAGE_TYPES: &[(i64, PageType)] = &[
    (509_180_000, PageType::EntityList),
    (509_180_001, PageType::EntityRecord),
    (509_180_002, PageType::WebResource),
    (509_180_003, PageType::Control),
    (509_180_004, PageType::Dashboard),
    (509_180_005, PageType::Search),
    (509_180_006, PageType::ThirdPartyWebsite),
    (509_180_007, PageType::CustomPage),
];

type Parameters = BTreeMap<String, Option<Text<2048>>>;

/// Plans all tab templates, with their parameters.
pub(super) fn read(work: &mut Work<'_>, rows: &mut Rows) {
    let mut drafts = Drafts::new();
    let mut copies = BTreeMap::new();
    for row in rows.take(TEMPLATE) {
        let Some((component, mut row, mut template)) = work.read(row, template) else { continue };
        let name = row.name.clone();
        let mut also = Vec::new();
        if let Some(json) = row.plain("msdyn_templateparameters").filter(|json| !json.trim().is_empty()) {
            match parameters(&json) {
                Ok(copy) => {
                    copies.insert(name.clone(), copy);
                }
                Err(reason) => {
                    let message = format!("`msdyn_templateparameters` is not read, the rows alone count: {reason}");
                    work.note(component, message.clone());
                    work.report.warn("parameters-unreadable", format!("{TEMPLATE}/{name}"), message);
                    also.push(("msdyn_templateparameters", json));
                }
            }
        }
        template.source = row.source(work.solution.summary.managed, &also);
        drafts.begin(component, &name, template);
    }
    for row in rows.take(PARAMETER) {
        take_parameter(work, row, &mut drafts);
    }
    for (name, copy) in copies {
        if let Some(template) = drafts.open(work, &name) {
            compare(work, &name, &mut template.parameters, copy);
        }
    }
    drafts.put(work, TEMPLATE);
}

fn template(row: &mut Row) -> Result<ApplicationTabTemplate, Unreadable> {
    Ok(ApplicationTabTemplate {
        name: row.required("msdyn_name")?,
        description: row.localized("msdyn_description")?,
        state: row.state()?,
        title: row.localized("msdyn_title")?,
        page_type: row.required_choice("msdyn_pagetype", PAGE_TYPES)?,
        closable: !row.switch("msdyn_pinned")?.unwrap_or(false),
        parameters: BTreeMap::new(),
        source: None,
    })
}

fn take_parameter(work: &mut Work<'_>, row: Row, drafts: &mut Drafts<ApplicationTabTemplate>) {
    let read = work.read(row, |row| {
        let key = row.required_text::<100>("msdyn_name")?;
        let template = row.lookup("msdyn_applicationtabtemplateid").unwrap_or_default();
        let value = row.plain("msdyn_value").map(Text::new).transpose();
        let value = value.map_err(|error| Unreadable(format!("`msdyn_value`: {error}")))?;
        Ok((key, template, value, row.state()?))
    });
    let Some((component, row, (key, name, value, state))) = read else { return };
    if state == State::Inactive {
        return work.skip(component, "an inactive parameter is not taken");
    }
    let Some(template) = drafts.open(work, &name) else {
        let reason = work.why_not(Kind::ApplicationTabTemplate, &name);
        return work.skip(component, reason);
    };
    template.parameters.insert(key.to_string(), value);
    if row.name != format!("{name}_{key}") && !row.is_made_up() {
        let place = format!("{PARAMETER}/{key}");
        template.source.get_or_insert_default().attributes.insert(place, row.name.clone());
    }
    row.keep_in(&mut template.source);
    work.merge(component, Kind::ApplicationTabTemplate, &name);
}

/// Adds the parameters that only the copy has, and reports where it disagrees.
fn compare(work: &mut Work<'_>, name: &str, rows: &mut Parameters, copy: Parameters) {
    let text = |value: &Option<Text<2048>>| value.as_ref().map_or(String::new(), Text::to_string);
    for (key, copied) in copy {
        match rows.get(&key) {
            None => {
                rows.insert(key, copied);
            }
            Some(row) if text(row) == text(&copied) => {}
            Some(row) => {
                let message = format!(
                    "parameter `{key}` is `{}` in its row and `{}` in `msdyn_templateparameters`: the row counts",
                    text(row),
                    text(&copied)
                );
                work.report.warn("parameters-disagree", format!("{TEMPLATE}/{name}"), message);
            }
        }
    }
}

/// Reads `{"url": {"value": "https:\/\/…"}}`.
fn parameters(text: &str) -> Result<Parameters, String> {
    let members = match json::read(text.as_bytes()) {
        Ok(Value::Object(members)) => members,
        Ok(_) => return Err("it is no JSON object".to_owned()),
        Err(error) => return Err(error),
    };
    let mut read = Parameters::new();
    for (key, mut member) in members {
        let value = member.get_mut("value").map(Value::take).unwrap_or(member);
        let value = match value {
            Value::Null => None,
            Value::String(text) => Some(text),
            other => Some(other.to_string()),
        };
        let value = value.map(Text::new).transpose().map_err(|error| format!("`{key}`: {error}"))?;
        read.insert(key, value);
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_copy_of_the_parameters_is_read_in_every_shape() {
        for (json, expected) in [
            (r#"{"url":{"value":"https:\/\/fabrikam.example\/"}}"#, r#"{"url": Some("https://fabrikam.example/")}"#),
            (
                r#"{"a":{"value":null},"b":"x","c":{"value":true},"d":{"value":{"e":1}}}"#,
                r#"{"a": None, "b": Some("x"), "c": Some("true"), "d": Some("{\"e\":1}")}"#,
            ),
        ] {
            assert_eq!(format!("{:?}", parameters(json).unwrap()), expected);
        }
        assert_eq!(parameters("[]").unwrap_err(), "it is no JSON object");
        assert!(parameters("{").unwrap_err().starts_with("EOF"));
        let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(2049));
        assert!(parameters(&long).unwrap_err().starts_with("`a`: the text has 2049 characters"));
    }
}
