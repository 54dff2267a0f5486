//! Which sources of suggestions fit the record or conversation of a session.
//!
//! The rule in plain words is the README beside this file.

use loadout_sdk::{Decision, Fault, Localized, NoSettings, Session, Tool, export_tool};
use serde::{Deserialize, Serialize};

const KIND: &str = "smart-assist-configurations";

struct SmartAssist;

/// A smart assist configuration, as far as the rule reads it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Configuration {
    name: Localized,
    suggestion_type: String,
    source_entity: String,
    card: String,
    max_suggestions: Option<u32>,
    #[serde(default)]
    order: u32,
    group_title: Option<Localized>,
    #[serde(default)]
    default: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Workstream {
    #[serde(default)]
    smart_assist_bots: Vec<String>,
}

#[derive(Serialize)]
struct Payload {
    groups: Vec<Group>,
}

/// One group of suggestions, drawn alike.
#[derive(Serialize)]
struct Group {
    configuration: String,
    #[serde(rename = "type")]
    suggestion_type: String,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<u32>,
    card: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    bots: Vec<String>,
    #[serde(skip)]
    order: u32,
}

impl Tool for SmartAssist {
    type Settings = NoSettings;
    type Payload = Payload;

    fn evaluate(session: &Session<'_>, _: NoSettings) -> Result<Decision<Payload>, Fault> {
        let Some(table) = session.table() else {
            return Ok(Decision::hidden("no-session", "Shown inside a session."));
        };
        if session.channel().as_deref() == Some("record") {
            return Ok(Decision::hidden("not-for-this-channel", "Shown for every channel but routed records."));
        }
        let mut groups = Vec::new();
        for (unique_name, configuration) in configurations(session)? {
            if configuration.source_entity == table {
                groups.extend(group(session, unique_name, configuration)?);
            }
        }
        if groups.is_empty() {
            let text = format!("Shown once a smart assist configuration for `{table}` applies to the profile.");
            return Ok(Decision::hidden("nothing-configured", text));
        }
        groups.sort_by(|a, b| (a.order, &a.configuration).cmp(&(b.order, &b.configuration)));
        let names: Vec<String> = groups.iter().map(|group| group.configuration.clone()).collect();
        Ok(Decision::shown(Payload { groups }).naming(KIND, names))
    }
}

/// The configurations of the profile; if it has none, the library's default ones.
fn configurations(session: &Session<'_>) -> Result<Vec<(String, Configuration)>, Fault> {
    let library = session.library();
    let own = library.links("profiles", &session.profile(), "smartAssist");
    let takes_defaults = own.is_empty();
    let names = if takes_defaults { library.names(KIND) } else { own };
    let mut found = Vec::new();
    for name in names {
        if let Some(configuration) = library.item::<Configuration>(KIND, &name)?
            && (configuration.default || !takes_defaults)
        {
            found.push((name, configuration));
        }
    }
    Ok(found)
}

/// The group of a configuration. None for bots where the workstream has none.
fn group(session: &Session<'_>, configuration: String, item: Configuration) -> Result<Option<Group>, Fault> {
    let is_bot = item.suggestion_type == "bot";
    let bots = if is_bot { bots(session)? } else { Vec::new() };
    if is_bot && bots.is_empty() {
        return Ok(None);
    }
    Ok(Some(Group {
        configuration,
        suggestion_type: item.suggestion_type,
        title: item.group_title.unwrap_or(item.name).in_language(session.language()).to_owned(),
        max: item.max_suggestions,
        card: item.card,
        bots,
        order: item.order,
    }))
}

fn bots(session: &Session<'_>) -> Result<Vec<String>, Fault> {
    let Some(workstream) = session.workstream() else { return Ok(Vec::new()) };
    let item = session.library().item::<Workstream>("workstreams", &workstream)?;
    Ok(item.map(|it| it.smart_assist_bots).unwrap_or_default())
}

export_tool!(SmartAssist);

#[cfg(test)]
#[test]
fn cases() {
    loadout_sdk::testing::check_cases::<SmartAssist>(concat!(env!("CARGO_MANIFEST_DIR"), "/cases"));
}
