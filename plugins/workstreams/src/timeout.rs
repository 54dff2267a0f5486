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
/// The attribute that marks such a template, in its source: written by the plugin `legacy-console`, and by imports of
/// solutions.
const DEFAULT_COUNTDOWN: &str = "loadout/countdownSeconds";

/// Workstreams that one sentence names; the others are counted.
const LISTED: usize = 5;

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

/// The time-outs that the workstreams of a page hand on, by template.
#[derive(Default)]
pub(crate) struct HandedOn<'a> {
    templates: BTreeMap<String, Vec<Wish<'a>>>,
    /// The names of all templates, once a workstream asks for them.
    known: Option<Vec<String>>,
}

/// The time-out that a workstream hands on to a template that it binds.
#[derive(Clone, Copy)]
struct Wish<'a> {
    row: &'a Row,
    seconds: u16,
}

impl<'a> HandedOn<'a> {
    /// Adds the time-out `seconds` of the workstream `row`, for every template that the workstream names.
    pub(crate) fn add(&mut self, row: &'a Row, seconds: &str, library: &Library<'_>) {
        let Some(seconds) = seconds.trim().parse().ok().filter(|seconds| SECONDS.contains(seconds)) else { return };
        let texts = NOTIFICATIONS.iter().filter_map(|(_, column)| row.text(column)).map(str::trim);
        let wanted: BTreeSet<&str> = texts.filter(|text| !text.is_empty()).collect();
        if wanted.is_empty() {
            return;
        }
        let known = self.known.get_or_insert_with(|| library.names(KIND));
        let named: BTreeSet<&String> =
            wanted.iter().filter_map(|text| known.iter().find(|name| is_called(name, text))).collect();
        for name in named {
            self.templates.entry(name.clone()).or_default().push(Wish { row, seconds });
        }
    }

    /// Proposes one time-out for every template that has no number of its own: the smallest.
    pub(crate) fn propose(self, library: &Library<'_>, migration: &mut Migration) -> Result<(), Fault> {
        for (name, wishes) in self.templates {
            let Some(template) = library.item::<Template>(KIND, &name)? else { continue };
            let has_none = template.source.attributes.contains_key(DEFAULT_COUNTDOWN);
            if !has_none || template.countdown_seconds != DEFAULT_SECONDS {
                continue;
            }
            let Some(Wish { row, seconds }) = wishes.iter().min_by_key(|wish| wish.seconds).copied() else { continue };
            let attributes = json!({ DEFAULT_COUNTDOWN: null });
            let patch = json!({ "countdownSeconds": seconds, "source": { "attributes": attributes } });
            let patch = Upsert::patch(KIND, &name, patch).from_all(wishes.iter().map(|wish| wish.row));
            migration.upserts.push(patch);
            let all: Vec<_> = wishes.iter().map(|wish| (called(wish.row), wish.seconds)).collect();
            migration.note(row, "screen-pop-timeout", sentence(&name, seconds, &all));
        }
        Ok(())
    }
}

/// Returns the name by which an administrator knows a workstream.
fn called(row: &Row) -> &str {
    row.text("msdyn_name").unwrap_or(&row.id)
}

/// Returns why a template ends after `seconds`, given the screen pops of all workstreams that bind it.
fn sentence(template: &str, seconds: u16, all: &[(&str, u16)]) -> String {
    let why = format!("`{template}` has no time-out of its own: it ends after {seconds} seconds");
    if all.iter().all(|(_, other)| *other == seconds) {
        return format!("{why}, as the screen pop did");
    }
    let listed = all.iter().take(LISTED).map(|(name, seconds)| format!("{seconds} of `{name}`"));
    let listed = listed.collect::<Vec<_>>().join(", ");
    let others = match all.len().saturating_sub(LISTED) {
        0 => String::new(),
        others => format!(", and {others} more"),
    };
    format!("{why}, the smallest of the screen pops that its workstreams had: {listed}{others}")
}

/// Returns whether an item of this name was called `text`: the same, or its letters behind a prefix.
fn is_called(name: &str, text: &str) -> bool {
    let letters = || text.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
    let rest = || name.split_once('_').map(|(_, rest)| rest);
    name == text || rest().is_some_and(|rest| letters().eq(rest.split('_').filter(|part| !part.is_empty())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sentence_says_how_workstreams_disagree() {
        let many: Vec<(&str, u16)> = (0..7).map(|n| ("Desk", 60 + n)).collect();
        for (all, expected) in [
            (&[("Calls", 60)][..], "it ends after 60 seconds, as the screen pop did"),
            (&[("Calls", 60), ("Texts", 60)], "it ends after 60 seconds, as the screen pop did"),
            (
                &[("Texts", 90), ("Calls", 60)],
                "it ends after 60 seconds, the smallest of the screen pops that its workstreams had: 90 of `Texts`, 60 of `Calls`",
            ),
            (
                &many,
                "it ends after 60 seconds, the smallest of the screen pops that its workstreams had: 60 of `Desk`, 61 of `Desk`, 62 of `Desk`, 63 of `Desk`, 64 of `Desk`, and 2 more",
            ),
        ] {
            assert_eq!(sentence("ring", 60, all), format!("`ring` has no time-out of its own: {expected}"));
        }
    }
}
