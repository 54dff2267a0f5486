//! Which macros a person may run in a session.
//!
//! The rule in plain words is the README beside this file.

use loadout_sdk::script::offered;
use loadout_sdk::{Decision, Fault, Session, Tool, export_tool};
use serde::{Deserialize, Serialize};

struct Macros;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    macros: Option<Vec<String>>,
}

#[derive(Serialize)]
struct Payload {
    available: Vec<String>,
}

impl Tool for Macros {
    type Settings = Settings;
    type Payload = Payload;

    fn evaluate(session: &Session<'_>, settings: Settings) -> Result<Decision<Payload>, Fault> {
        if !session.is_open() {
            return Ok(Decision::hidden("no-session", "Shown inside a session."));
        }
        let all = session.library().names("macros");
        let available = match settings.macros {
            None => all,
            Some(listed) => chosen(session, &all, listed)?,
        };
        if available.is_empty() {
            return Ok(Decision::hidden(
                "no-macro",
                "Shown once an active macro is listed, or run by a script of the session.",
            ));
        }
        Ok(Decision::shown(Payload { available: available.clone() }).naming("macros", available))
    }
}

/// The macros the session's scripts run, then the `listed` ones, each once.
fn chosen(session: &Session<'_>, all: &[String], listed: Vec<String>) -> Result<Vec<String>, Fault> {
    let scripts = match session.session_template() {
        Some(template) => offered(session, &template)?,
        None => Vec::new(),
    };
    let mut chosen: Vec<String> = Vec::new();
    for runs in scripts.into_iter().flat_map(|script| script.macros) {
        if !chosen.contains(&runs) {
            chosen.push(runs);
        }
    }
    for name in listed {
        if !all.contains(&name) {
            session.warn(format!("the settings list `{name}`, which is no active macro"));
        } else if !chosen.contains(&name) {
            chosen.push(name);
        }
    }
    Ok(chosen)
}

export_tool!(Macros);

#[cfg(test)]
#[test]
fn cases() {
    loadout_sdk::testing::check_cases::<Macros>(concat!(env!("CARGO_MANIFEST_DIR"), "/cases"));
}
