//! Application tab templates and their parameters.

use std::collections::BTreeMap;

use loadout_sdk::upgrade::{Migration, Page, Row, Unusable, Upsert};
use serde_json::{Map, Value, json};

pub(crate) const TABLE: &str = "msdyn_consoleapplicationtemplate";
const PARAMETER: &str = "msdyn_consoleapplicationtemplateparameter";
const PAGE_TYPE: &str = "msdyn_consoleapplicationtype";

/// Page types were rows of a table; what they are called says what they are.
const PAGE_TYPES: &[(&str, &str)] = &[
    ("entitylist", "entity-list"),
    ("entityrecord", "entity-record"),
    ("webresource", "web-resource"),
    ("control", "control"),
    ("dashboard", "dashboard"),
    ("search", "search"),
    ("thirdpartywebsite", "third-party-website"),
];

type Parameters = BTreeMap<String, Option<String>>;

pub(crate) fn migrate(page: &Page, row: &Row, migration: &mut Migration) {
    match template(page, row, migration) {
        Ok((upsert, unusable)) => {
            migration.upserts.push(upsert);
            for (parameter, why) in unusable {
                migration.quarantine(parameter, why);
            }
        }
        Err(why) => migration.quarantine(row, why),
    }
}

type Made<'a> = (Upsert, Vec<(&'a Row, Unusable)>);

fn template<'a>(page: &'a Page, row: &'a Row, migration: &mut Migration) -> Result<Made<'a>, Unusable> {
    let name = row.required("msdyn_name", 100)?;
    let (page_type, exported) = page_type(page, row)?;
    let mut item = json!({ "name": name, "pageType": page_type });
    if let Some(title) = row.fitting("msdyn_title", 200)? {
        item["title"] = title.into();
    }
    if let Some(description) = row.fitting("msdyn_description", 2000)? {
        item["description"] = description.into();
    }
    if row.is_inactive() {
        item["state"] = "inactive".into();
    }
    // The label of the column is "Can close", and its true means no.
    item["closable"] = (!row.switch("msdyn_pinned")?.unwrap_or(false)).into();
    let (mut parameters, mut used, mut unusable, mut kept) = (Parameters::new(), vec![row], Vec::new(), Vec::new());
    used.extend(exported);
    for parameter in page.around(row, PARAMETER) {
        match read_parameter(parameter) {
            Ok((key, _)) if parameters.contains_key(&key) => {
                let reason = format!("another row is the parameter `{key}` already: keep one of them");
                unusable.push((parameter, Unusable::new("parameter-twice", reason)));
            }
            Ok((key, value)) => {
                kept.push((format!("{PARAMETER}/{key}"), parameter));
                parameters.insert(key, value);
                used.push(parameter);
            }
            Err(why) => unusable.push((parameter, why)),
        }
    }
    let copy = row.text("msdyn_templateparameters").filter(|text| !text.trim().is_empty());
    let mut unread = None;
    match copy.map(read_copy).transpose() {
        Ok(copy) => add_copy(row, &mut parameters, copy.unwrap_or_default(), migration),
        Err(reason) => {
            migration.note(
                row,
                "parameters-unreadable",
                format!("`msdyn_templateparameters` is kept and not used: {reason}"),
            );
            unread = copy;
        }
    }
    item["parameters"] = json!(parameters);
    let mut source = row.source();
    for (place, parameter) in kept {
        let own = parameter.source();
        for (column, text) in own["attributes"].as_object().into_iter().flatten() {
            source["attributes"][format!("{place}/{column}")] = text.clone();
        }
    }
    if let Some(text) = unread {
        source["attributes"]["msdyn_templateparameters"] = text.into();
    }
    item["source"] = source;
    Ok((Upsert::item("application-tab-templates", name, item).from_all(used), unusable))
}

/// Returns the kind of page, and the row that says so, if that row was exported.
fn page_type<'a>(page: &'a Page, row: &Row) -> Result<(&'static str, Option<&'a Row>), Unusable> {
    let missing = || Unusable::new("value-missing", "`msdyn_pagetype` has no value, and it is required");
    let look_up = row.look_up("msdyn_pagetype").ok_or_else(missing)?;
    let exported = page.found(look_up).filter(|found| found.table == PAGE_TYPE);
    let called = exported.and_then(|found| found.text("msdyn_name")).unwrap_or(&look_up.label);
    let bare: String = called.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    let known = PAGE_TYPES.iter().find(|(old, _)| *old == bare).map(|(_, new)| *new);
    known.map(|known| (known, exported)).ok_or_else(|| {
        Unusable::new(
            "unknown-page-type",
            format!(
                "the page type `{}` is called `{called}`, which is no page type: export `{PAGE_TYPE}`, too",
                look_up.id
            ),
        )
    })
}

fn read_parameter(row: &Row) -> Result<(String, Option<String>), Unusable> {
    if row.is_inactive() {
        return Err(Unusable::new("inactive", "an inactive parameter is not taken: activate it, or delete it"));
    }
    row.text("msdyn_name");
    let key = row.required("msdyn_parametername", 100)?.to_owned();
    let value = row.fitting("msdyn_value", 2048)?.map(str::to_owned);
    Ok((key, value))
}

/// Reads `{"url": {"isRuntime": true, "value": "https:\/\/…"}}`.
fn read_copy(json: &str) -> Result<Parameters, String> {
    let members: Map<String, Value> = serde_json::from_str(json).map_err(|error| error.to_string())?;
    let mut parameters = Parameters::new();
    for (key, member) in members {
        let value = member.get("value").cloned().unwrap_or(member);
        let value = match value {
            Value::Null => None,
            Value::String(text) => Some(text),
            other => Some(other.to_string()),
        };
        if key.is_empty() || key.chars().count() > 100 {
            return Err(format!("`{key}` cannot name a parameter: 1 to 100 characters are allowed"));
        }
        if value.as_ref().is_some_and(|text| text.chars().count() > 2048) {
            return Err(format!("`{key}` has more than 2048 characters"));
        }
        parameters.insert(key, value);
    }
    Ok(parameters)
}

/// Adds what only the copy has, and says where it disagrees: the rows are what administrators edited.
fn add_copy(row: &Row, parameters: &mut Parameters, copy: Parameters, migration: &mut Migration) {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    for (key, copied) in copy {
        match parameters.get(&key) {
            None => {
                parameters.insert(key, copied);
            }
            Some(own) if text(own) == text(&copied) => {}
            Some(own) => {
                let message = format!(
                    "parameter `{key}` is `{}` in its row and `{}` in `msdyn_templateparameters`: the row counts",
                    text(own),
                    text(&copied)
                );
                migration.note(row, "parameters-disagree", message);
            }
        }
    }
}
