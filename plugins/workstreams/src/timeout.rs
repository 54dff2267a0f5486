//! Time-outs of screen pops, which notification templates without one of their own take over.
//!
//! Never touches a template that had a number, or that was changed since it was brought along.

use std::collections::{BTreeMap, BTreeSet};

use loadout_sdk::upgrade::{Migration, Row, Upsert};
use loadout_sdk::{Fault, Library};
use serde::Deserialize;
use serde_json::json;

use crate::NOTIFICATIONS;

const KIND: &str = "notification-templates";
/// Seconds a screen pop could have.
const SECONDS: std::ops::RangeInclusive<u16> = 30..=300;
/// Seconds of a template that has no number of its own.
const DEFAULT_SECONDS: u16 = 120;
/// What says so, in the source of the template: written by the plugin `legacy-console`, and by imports of solutions.
const DEFAULT_COUNTDOWN: &str = "loadout/countdownSeconds";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Template {
    countdown_seconds: u16,
    #[serde(default)]
    source: Source,
}

#[derive(Default, Deserialize)]
struct Source {
    #[serde(default)]
    attributes: BTreeMap<String, String>,
}

/// Proposes `seconds` for every template that `row` names and that has no number of its own.
pub(crate) fn hand_on(row: &Row, seconds: &str, library: &Library<'_>, migration: &mut Migration) -> Result<(), Fault> {
    let Some(seconds) = seconds.trim().parse().ok().filter(|seconds| SECONDS.contains(seconds)) else { return Ok(()) };
    let texts = NOTIFICATIONS.iter().filter_map(|(_, column)| row.text(column)).map(str::trim);
    let wanted: BTreeSet<&str> = texts.filter(|text| !text.is_empty()).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let names = library.names(KIND);
    let named: BTreeSet<&String> =
        wanted.iter().filter_map(|text| names.iter().find(|name| is_called(name, text))).collect();
    for name in named {
        let Some(template) = library.item::<Template>(KIND, name)? else { continue };
        let has_none = template.source.attributes.contains_key(DEFAULT_COUNTDOWN);
        if !has_none || template.countdown_seconds != DEFAULT_SECONDS {
            continue;
        }
        let patch = json!({ "countdownSeconds": seconds, "source": { "attributes": { DEFAULT_COUNTDOWN: null } } });
        migration.upserts.push(Upsert::patch(KIND, name, patch).from(row));
        let message =
            format!("`{name}` has no time-out of its own: it ends after {seconds} seconds, as the screen pop did");
        migration.note(row, "screen-pop-timeout", message);
    }
    Ok(())
}

/// Whether an item of this name was called `text`: the same, or its letters behind a prefix.
fn is_called(name: &str, text: &str) -> bool {
    let letters = || text.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
    let rest = || name.split_once('_').map(|(_, rest)| rest);
    name == text || rest().is_some_and(|rest| letters().eq(rest.split('_').filter(|part| !part.is_empty())))
}
