//! Exports macros: processes of category 9000.
//!
//! A macro that was imported with a GUID keeps it. Any other gets one derived from its unique name, because steps refer
//! to macros by GUID. `UniqueName` is written if the import would derive another name.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use crate::domain::hex::hexadecimal;
use crate::domain::source::guid;
use crate::domain::{Localized, Macro, Name};
use crate::import::macros::{CATEGORY, default_name};

use super::path;
use super::row::wordings;
use super::tables::Tables;
use super::workflow::Workflow;
use super::xml::{Element, can_carry, is_name};

/// Columns in the order of exports, each with its value for a macro that was made here.
const COLUMNS: &[(&str, Option<&str>)] = &[
    ("JsonFileName", None),
    ("Type", Some("1")),
    ("Subprocess", Some("0")),
    ("Category", None),
    ("Mode", Some("0")),
    ("Scope", Some("4")),
    ("OnDemand", Some("0")),
    ("TriggerOnCreate", Some("0")),
    ("TriggerOnDelete", Some("0")),
    ("AsyncAutodelete", Some("0")),
    ("SyncWorkflowLogOnFailure", Some("0")),
    ("StateCode", None),
    ("StatusCode", None),
    ("RunAs", Some("1")),
    ("IsTransacted", Some("1")),
    ("IntroducedVersion", Some("1.0")),
    ("IsCustomizable", None),
    ("IsCustomProcessingStepAllowedForOtherPublishers", None),
    ("PrimaryEntity", Some("SystemUser")),
    ("UniqueName", None),
];

/// Writes every macro.
pub(super) fn write(tables: &mut Tables<'_>) {
    let macros: Vec<(Name<Macro>, &Macro)> = tables.custom().filter(|(name, _)| can_carry(name.as_str())).collect();
    let prefix = tables.prefix;
    let expected = |it: &Macro| default_name(prefix, it.name.default_text());
    let mut wanted: BTreeMap<String, usize> = BTreeMap::new();
    macros.iter().for_each(|(_, it)| *wanted.entry(expected(it)).or_default() += 1);
    let mut paths = BTreeSet::new();
    for (name, it) in &macros {
        let thought_up = expected(it);
        let comes_out = thought_up == name.as_str() && wanted.get(&thought_up) == Some(&1);
        let own = it.source.as_ref().and_then(|source| guid(source.id.as_deref()?));
        let own = own.filter(|id| !tables.workflows.contains_key(id));
        let id = own.unwrap_or_else(|| made_up_id(name.as_str()));
        let path = own_path(it).filter(|path: &String| !paths.contains(&path.to_lowercase()));
        let path = path.unwrap_or_else(|| made_up_path(it.name.default_text(), &id));
        paths.insert(path.to_lowercase());
        let element = element(tables, name, it, &id, &path, comes_out);
        tables.macro_ids.insert(name.to_string(), id.clone());
        let definition = it.definition.as_str().to_owned();
        tables.workflows.insert(id, Workflow { element, path, definition });
    }
}

fn element(tables: &Tables<'_>, name: &Name<Macro>, it: &Macro, id: &str, path: &str, comes_out: bool) -> Element {
    let (state, status) = if it.state.is_active() { ("1", "2") } else { ("0", "1") };
    let own = it.source.as_ref().map(|source| &source.attributes);
    let mut columns: BTreeMap<&str, String> = match own {
        Some(attributes) => attributes.iter().map(|(column, value)| (column.as_str(), value.clone())).collect(),
        None => COLUMNS.iter().filter_map(|(column, usual)| Some((*column, usual.as_ref()?.to_string()))).collect(),
    };
    if columns.get("JsonFileName").is_none_or(|own| own.trim_start_matches('/') != path) {
        columns.insert("JsonFileName", format!("/{path}"));
    }
    columns.insert("Category", CATEGORY.to_owned());
    columns.insert("StateCode", state.to_owned());
    if columns.get("StatusCode").is_none_or(|status| matches!(status.as_str(), "1" | "2")) {
        columns.insert("StatusCode", status.to_owned());
    }
    if !comes_out {
        columns.insert("UniqueName", name.to_string());
    }
    let mut children = Vec::new();
    for (column, _) in COLUMNS {
        children.extend(columns.remove(column).map(|value| Element::text(*column, value)));
    }
    let rest = columns.into_iter().filter(|(column, _)| is_name(column) && !is_written_otherwise(column));
    children.extend(rest.map(|(column, value)| Element::text(column, value)));
    children.push(list("LocalizedNames", "LocalizedName", Some(&it.name), tables.language));
    children.push(list("Descriptions", "Description", it.description.as_ref(), tables.language));
    let element =
        Element::of("Workflow", children).with("WorkflowId", format!("{{{id}}}")).with("Name", it.name.default_text());
    match &it.description {
        Some(description) => element.with("Description", description.default_text()),
        None => element,
    }
}

fn is_written_otherwise(column: &str) -> bool {
    matches!(column, "WorkflowId" | "Name" | "Description" | "LocalizedNames" | "Descriptions" | "msdyn_uniquename")
}

fn list<const MAX: usize>(column: &str, one: &str, text: Option<&Localized<MAX>>, base: u32) -> Element {
    let wordings = text.map(|text| wordings(text, base)).unwrap_or_default();
    let label = |(language, wording): (u32, &str)| {
        Element::empty(one).with("languagecode", language.to_string()).with("description", wording)
    };
    if wordings.is_empty() { Element::empty(column) } else { Element::of(column, wordings.into_iter().map(label)) }
}

/// The path of the definition in the archive the macro was imported from, if it is in the folder for definitions.
fn own_path(it: &Macro) -> Option<String> {
    let path = it.source.as_ref()?.attributes.get("JsonFileName")?.trim_start_matches('/');
    let file = path.strip_prefix("Workflows/")?;
    (path::is_plain(file) && file.ends_with(".json")).then(|| path.to_owned())
}

fn made_up_path(name: &str, id: &str) -> String {
    let bare: String = name.chars().filter(char::is_ascii_alphanumeric).take(60).collect();
    format!("Workflows/{bare}-{}.json", id.to_ascii_uppercase())
}

/// A GUID of version 8 that is derived from the unique name.
fn made_up_id(name: &str) -> String {
    let digest = Sha256::digest(format!("loadout/macros/{name}"));
    let mut bytes: [u8; 16] = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = hexadecimal(&bytes);
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_up_guid_is_one_and_follows_from_the_name() {
        let id = made_up_id("contoso_escalate");
        assert_eq!(guid(&id), Some(id.clone()));
        assert_eq!((id.clone(), &id[14..15]), (made_up_id("contoso_escalate"), "8"));
        assert_ne!(id, made_up_id("contoso_clone"));
    }
}
