//! Which scripts a person may use in a session, and which one starts.
//!
//! The rule in plain words is the README beside this file.

use loadout_sdk::script::{Script, offered};
use loadout_sdk::workflow::{self, Workflow};
use loadout_sdk::{Decision, Fault, NoSettings, Session, Tool, export_tool};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) struct Scripts;

#[derive(Serialize)]
pub(crate) struct Payload {
    default: String,
    available: Vec<String>,
}

impl Tool for Scripts {
    type Settings = NoSettings;
    type Payload = Payload;

    fn evaluate(session: &Session<'_>, _: NoSettings) -> Result<Decision<Payload>, Fault> {
        if !session.is_open() {
            return Ok(Decision::hidden("no-session", "Shown inside a session."));
        }
        let template = session.session_template();
        let scripts = match &template {
            Some(template) => offered(session, template)?,
            None => Vec::new(),
        };
        let (Some(template), Some(first)) = (template, scripts.first()) else {
            return Ok(Decision::hidden("no-script", "Shown once the session template has an active script."));
        };
        let default = chosen(session, &template, &scripts).unwrap_or_else(|reason| {
            session.warn(format!("{reason}; the first script starts instead"));
            None
        });
        let default = default.unwrap_or(first).unique_name.clone();
        let (mut available, mut macros) = (Vec::new(), Vec::new());
        for script in scripts {
            available.push(script.unique_name);
            macros.extend(script.macros);
        }
        let decision = Decision::shown(Payload { default, available: available.clone() });
        Ok(decision.naming("scripts", available).naming("macros", macros))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SessionTemplate {
    default_script: Option<DefaultScript>,
}

#[derive(Deserialize)]
struct DefaultScript {
    enabled: bool,
    expression: Value,
}

/// The script the template's expression chooses, if it has one that chooses. An error says in words why it names none
/// of `scripts`.
fn chosen<'a>(session: &Session<'_>, template: &str, scripts: &'a [Script]) -> Result<Option<&'a Script>, String> {
    let item = session.library().item::<SessionTemplate>("session-templates", template);
    let item = item.map_err(|fault| fault.message().to_owned())?;
    let Some(default) = item.and_then(|it| it.default_script).filter(|it| it.enabled) else { return Ok(None) };
    let text = match default.expression {
        Value::String(text) => text,
        object => object.to_string(),
    };
    let unusable =
        |error: workflow::Error| format!("the default-script expression of `{template}` is not usable: {error}");
    let workflow = Workflow::parse(&text).map_err(unusable)?;
    let named = workflow.default_script(&|text| session.render(text).text).map_err(unusable)?;
    let Some(named) = named else { return Ok(None) };
    let id = guid(&named);
    let is_named = |script: &&Script| script.unique_name == named || (id.is_some() && script.source_id == id);
    let found = scripts.iter().find(is_named);
    found.map(Some).ok_or_else(|| {
        format!(
            "the default-script expression of `{template}` chose `{named}`, which is not among the scripts offered here"
        )
    })
}

/// A GUID in the spelling of `source.id`; nothing for any other text.
fn guid(text: &str) -> Option<String> {
    let bare = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
    let is_guid = bare.len() == 36 && bare.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    is_guid.then(|| bare.to_ascii_lowercase())
}

export_tool!(Scripts);

#[cfg(test)]
#[test]
fn cases() {
    loadout_sdk::testing::check_cases::<Scripts>(concat!(env!("CARGO_MANIFEST_DIR"), "/cases"));
}
