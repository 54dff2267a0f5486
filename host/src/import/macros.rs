//! Imports macros: processes of category 9000, each a row in `customizations.xml` and a definition in `Workflows/`.
//!
//! Most exported macros have no unique name. A macro that exists here is recognised by its GUID and keeps its name. Any
//! other gets the name in the column `UniqueName` if that follows the authoring rule. Without it, the name is
//! `<customization prefix>_<display name in snake case>`, followed by the first eight digits of the GUID if that name
//! is taken. Macros are named in the order of their GUIDs, so the order of files does not matter. A process is active
//! in state 1, unlike every other row. The definition is kept byte for byte, but for a byte order mark.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::domain::name::{check_authored_name, check_name};
use crate::domain::source::guid;
use crate::domain::{Definition, Kind, Localized, Macro, Name, Source, State};
use crate::store::Snapshot;

use super::archive::Archive;
use super::customizations::Workflow;
use super::json;
use super::layout::is_document;
use super::row::{Row, is_stray};
use super::unreadable::Unreadable;
use super::work::Work;

/// The category of processes that are macros.
pub(crate) const CATEGORY: &str = "9000";
/// The number of places of stray characters that are named; the others are only counted.
const PLACES_NAMED: usize = 5;

/// Plans all macros, and returns their names by GUID. Takes the definitions it reads out of `archive`.
pub(super) fn read(
    work: &mut Work<'_>,
    workflows: Vec<Workflow>,
    archive: &mut Archive<'_>,
) -> BTreeMap<String, Name<Macro>> {
    let contained: BTreeSet<&str> = workflows.iter().map(|workflow| workflow.id.as_str()).collect();
    for id in work.solution.processes.iter().filter(|id| !contained.contains(id.as_str())) {
        let message = "the solution lists this process and does not contain it: export it again";
        work.report.warn("process-missing", format!("solution.xml/{id}"), message);
    }
    let mut names = by_id(work.here);
    let known = names.clone();
    let mut seen = None;
    for workflow in workflows {
        let component = work.component("workflow", &workflow.id);
        if seen.as_ref() == Some(&workflow.id) {
            let reason = Unreadable("another process has the same GUID: keep one of them".to_owned());
            work.quarantine(component, &reason);
            continue;
        }
        seen = Some(workflow.id.clone());
        let category = workflow.text("Category").unwrap_or_default().trim();
        if category != CATEGORY {
            work.skip(component, format!("a process of category `{category}` is no macro: only `{CATEGORY}` is"));
            continue;
        }
        match read_one(work, &workflow, archive) {
            Ok((read, named)) => {
                let name = match known.get(&workflow.id) {
                    Some(name) => name.to_string(),
                    None => new_name(work, &workflow.id, named, read.name.default_text()),
                };
                work.put(component, &name, read);
                // No step can run a macro that was not planned after all.
                if let Some(name) = work.resolve(&name) {
                    names.insert(workflow.id.clone(), name);
                }
            }
            Err(reason) => work.quarantine(component, &reason),
        }
    }
    names
}

/// The macros that exist here, by GUID.
fn by_id(base: &Snapshot) -> BTreeMap<String, Name<Macro>> {
    let with_id = |(name, it): (Name<Macro>, &Macro)| Some((guid(it.source.as_ref()?.id.as_deref()?)?, name));
    base.all::<Macro>().filter_map(with_id).collect()
}

fn read_one(
    work: &mut Work<'_>,
    workflow: &Workflow,
    archive: &mut Archive<'_>,
) -> Result<(Macro, Option<String>), Unreadable> {
    let row = Row::new("customizations.xml", &workflow.id, workflow.element.clone());
    let mut row = if work.whole { row.of_whole() } else { row };
    let id = guid(&workflow.id).ok_or_else(|| Unreadable(format!("`{}` is no GUID", workflow.id)))?;
    row.attribute("WorkflowId");
    let is_name = |name: &String| match work.whole {
        true => check_name(Kind::Macro, name).is_ok(),
        false => check_authored_name(Kind::Macro, name).is_ok(),
    };
    let named = workflow.text("UniqueName").map(str::to_owned).filter(is_name);
    if named.is_some() {
        row.plain("UniqueName");
    }
    let name = row.attribute("Name").unwrap_or_default();
    let name: Localized<100> = row
        .wordings("LocalizedNames", name)?
        .ok_or_else(|| Unreadable("`Name` is missing, and it is required".to_owned()))?;
    let description = row.attribute("Description").unwrap_or_default();
    let description = row.wordings("Descriptions", description)?;
    let state = row.choice("StateCode", &[(0, State::Inactive), (1, State::Active)])?.unwrap_or_default();
    let path = row.plain("JsonFileName").unwrap_or_default();
    let file = path.trim_start_matches('/');
    let content = if is_document(file) { Ok(None) } else { archive.take(file) };
    let content = content
        .map_err(|error| Unreadable(error.to_string()))?
        .ok_or_else(|| Unreadable(format!("its definition `{file}` is not in the archive")))?;
    let definition = definition(&content).map_err(|reason| Unreadable(format!("`{file}`: {reason}")))?;
    for column in &row.stray {
        work.warn_of_stray(&format!("workflow/{id}"), &format!("`{column}`"));
    }
    warn_of_stray_inputs(work, file, &definition);
    let source = (!row.is_made_up()).then(|| {
        let mut attributes = row.rest();
        attributes.insert("JsonFileName".to_owned(), path);
        Source { id: Some(id), managed: work.solution.summary.managed, attributes, ..Source::default() }
    });
    Ok((Macro { name, description, state, definition, source }, named))
}

/// Parses a definition. Refuses one that could not be written again, such as JSON that is nested too deeply.
fn definition(content: &[u8]) -> Result<Definition, String> {
    let text = std::str::from_utf8(content).map_err(|error| error.to_string())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let value: Value = json::read(text.as_bytes()).map_err(|error| format!("it is not JSON: {error}"))?;
    if !value.is_object() {
        return Err("it is no workflow definition, which is a JSON object".to_owned());
    }
    Definition::new(text).map_err(|error| error.to_string())
}

fn warn_of_stray_inputs(work: &mut Work<'_>, file: &str, definition: &Definition) {
    let Ok(value) = serde_json::from_str::<Value>(definition.as_str()) else { return };
    let mut places = Vec::new();
    stray_texts(&value, "", &mut places);
    if !places.is_empty() {
        let more = places.len().saturating_sub(PLACES_NAMED);
        let mut named = places.iter().take(PLACES_NAMED).map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ");
        if more > 0 {
            named.push_str(&format!(" and {more} more"));
        }
        work.warn_of_stray(file, &named);
    }
}

fn stray_texts(value: &Value, at: &str, places: &mut Vec<String>) {
    match value {
        Value::String(text) if is_stray(text) => places.push(at.to_owned()),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| stray_texts(item, &format!("{at}[{index}]"), places));
        }
        Value::Object(members) => {
            for (key, member) in members {
                stray_texts(member, &if at.is_empty() { key.clone() } else { format!("{at}.{key}") }, places);
            }
        }
        _ => {}
    }
}

fn new_name(work: &Work<'_>, id: &str, named: Option<String>, name: &str) -> String {
    // A unique name in the archive means the item of that name here; a name that is made up must not be that of an
    // existing item.
    let is_here = named.is_none() && work.here.entry(Kind::Macro, &default_name(&work.solution.prefix, name)).is_some();
    let wanted = named.unwrap_or_else(|| default_name(&work.solution.prefix, name));
    let is_taken = is_here || work.planned::<Macro>().any(|(planned, _)| planned == wanted);
    if is_taken { format!("{wanted}_{}", &id[..8]) } else { wanted }
}

/// The name of a macro for which the archive has no unique name.
pub(crate) fn default_name(prefix: &str, name: &str) -> String {
    format!("{prefix}_{}", snake_case(name))
}

fn snake_case(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let snake = words.map(str::to_lowercase).collect::<Vec<_>>().join("_");
    if snake.is_empty() { "macro".to_owned() } else { snake.chars().take(100).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_snake_case() {
        for (name, expected) in [
            ("Escalate Case", "escalate_case"),
            ("  E-mail: the customer! ", "e_mail_the_customer"),
            ("Größe", "größe"),
            ("¿?", "macro"),
        ] {
            assert_eq!(snake_case(name), expected);
        }
    }

    #[test]
    fn a_definition_that_could_not_be_written_again_is_refused() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
        for (content, expected) in [
            (deep.as_bytes(), "it is not JSON: recursion limit exceeded"),
            (b"[]".as_slice(), "it is no workflow definition"),
            (b"{".as_slice(), "it is not JSON: EOF"),
            (b"\xff".as_slice(), "invalid utf-8"),
        ] {
            let error = definition(content).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
        let marked = definition("\u{feff}{ \"actions\": {} }".as_bytes()).unwrap();
        assert_eq!(marked.as_str(), "{ \"actions\": {} }");
    }
}
