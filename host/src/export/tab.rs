//! Exports application tab templates and their parameters: as rows, and as a copy in the template.

use serde_json::{Map, Value, json};

use crate::domain::ApplicationTabTemplate;
use crate::import::tab::{PAGE_TYPES, PARAMETER, TEMPLATE};

use super::tables::Tables;
use super::xml::can_carry;

/// Writes every tab template.
pub(super) fn write(tables: &mut Tables<'_>) {
    let templates: Vec<_> = tables.custom::<ApplicationTabTemplate>().collect();
    for (name, template) in templates {
        let attributes = template.source.as_ref().map(|source| &source.attributes);
        // A copy that could not be read at the import is kept as it was.
        let unread = attributes.is_some_and(|kept| kept.contains_key("msdyn_templateparameters"));
        tables.item(TEMPLATE, &name, template.source.as_ref(), |row| {
            row.localized("msdyn_description", template.description.as_ref());
            row.localized("msdyn_name", Some(&template.name));
            row.choice("msdyn_pagetype", PAGE_TYPES, &template.page_type);
            row.switch("msdyn_pinned", !template.closable);
            row.text("msdyn_templateparameters", copy(template).filter(|_| !unread));
            row.localized("msdyn_title", template.title.as_ref());
            row.state(template.state);
        });
        for (key, value) in &template.parameters {
            let usual = format!("{name}_{key}");
            let own = attributes.and_then(|kept| kept.get(&format!("{PARAMETER}/{key}"))).unwrap_or(&usual);
            tables.part(
                PARAMETER,
                Some(own),
                &usual,
                |row| {
                    row.lookup("msdyn_applicationtabtemplateid", "msdyn_uniquename", &name);
                    row.labelled("msdyn_name", key);
                    row.text("msdyn_value", value.as_ref());
                    row.state(crate::domain::State::Active);
                },
                |_| {},
            );
        }
    }
}

/// The copy of the parameters, unless it is too long for its column or disagrees with the rows.
fn copy(template: &ApplicationTabTemplate) -> Option<String> {
    let members = template.parameters.iter().map(|(key, value)| {
        let value = value.as_ref().map_or(Value::Null, |value| value.as_str().into());
        (key.clone(), json!({ "value": value }))
    });
    let copy = Value::Object(members.collect::<Map<_, _>>()).to_string();
    // The copy can hold characters that rows cannot, and must not disagree with the rows.
    let agrees = template.parameters.values().flatten().all(|value| can_carry(value.as_str()));
    let fits = copy.chars().count() <= ApplicationTabTemplate::PARAMETERS_MAX;
    (fits && agrees && !template.parameters.is_empty()).then_some(copy)
}
