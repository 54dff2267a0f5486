//! Scripts as rules see them, and which of them a session offers.
//!
//! Several tools depend on the offered scripts and must agree, so they all use this module.

use serde::Deserialize;

use crate::{Fault, Session};

/// A script that is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// Its unique name.
    pub unique_name: String,
    /// The GUID it had in the environment it came from, in lower case without braces.
    pub source_id: Option<String>,
    /// The active macros its active steps run, in order of the steps, each once.
    pub macros: Vec<String>,
    language: u32,
}

#[derive(Deserialize)]
struct Item {
    language: u32,
    #[serde(default)]
    steps: Vec<Step>,
    source: Option<Source>,
}

#[derive(Deserialize)]
struct Step {
    order: u32,
    action: Action,
    #[serde(default)]
    state: Option<String>,
}

#[derive(Deserialize)]
struct Action {
    #[serde(rename = "macro")]
    runs: Option<String>,
}

#[derive(Deserialize)]
struct Source {
    id: Option<String>,
}

/// Returns the scripts a person may choose from in a session of `template`, in the template's order.
///
/// Those in the person's language; if there are none, those in the organisation's; if there are none either, all.
///
/// ```
/// # use loadout_sdk::testing::Fixture;
/// let fixture = Fixture::new().item("scripts", "contoso_greet", serde_json::json!({ "language": 1033 })).item("session-templates", "contoso_t", serde_json::json!({ "scripts": ["contoso_greet"] }));
/// let offered = loadout_sdk::script::offered(&fixture.session(), "contoso_t")?;
/// assert_eq!(offered[0].unique_name, "contoso_greet");
/// # Ok::<(), loadout_sdk::Fault>(())
/// ```
pub fn offered(session: &Session<'_>, template: &str) -> Result<Vec<Script>, Fault> {
    let mut scripts = Vec::new();
    for name in session.library().links("session-templates", template, "scripts") {
        scripts.extend(read(session, name)?);
    }
    for language in [Session::language, Session::base_language] {
        let language = language(session);
        if scripts.iter().any(|it| it.language == language) {
            scripts.retain(|it| it.language == language);
            break;
        }
    }
    Ok(scripts)
}

fn read(session: &Session<'_>, unique_name: String) -> Result<Option<Script>, Fault> {
    let library = session.library();
    let Some(item) = library.item::<Item>("scripts", &unique_name)? else { return Ok(None) };
    let mut steps: Vec<Step> = item.steps;
    steps.retain(|step| step.state.as_deref() != Some("inactive"));
    steps.sort_by_key(|step| step.order);
    let mut macros: Vec<String> = Vec::new();
    if steps.iter().any(|step| step.action.runs.is_some()) {
        let active = library.links("scripts", &unique_name, "steps.action.macro");
        for runs in steps.into_iter().filter_map(|step| step.action.runs) {
            if active.contains(&runs) && !macros.contains(&runs) {
                macros.push(runs);
            }
        }
    }
    let source_id = item.source.and_then(|source| source.id);
    Ok(Some(Script { unique_name, source_id, macros, language: item.language }))
}
