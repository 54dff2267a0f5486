//! Plans and upgrades, for people.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::cli::visible::one_line;
use crate::service::{ENDED_BY_ROLL_BACK, UpgradeStatus};
use crate::store::Run;
use crate::store::journal::{Accounted, Note};
use crate::upgrade::{Answered, Difference, Plan, PlannedRow, PlannedStep, SideBySide};

/// Lines of each sort that are shown; the rest is counted.
const SHOWN: usize = 50;
/// Quarantined rows that are shown.
const QUARANTINED_SHOWN: usize = 20;

pub(super) fn plan(plan: &Plan) -> String {
    let source = &plan.source;
    let version = source.version.as_ref().map_or_else(String::new, |version| format!(", version {version}"));
    let mut lines =
        vec![format!("plan {} from {} ({}{version}), for revision {}", plan.id, source.name, source.format, plan.base)];
    lines.extend(plan.steps.iter().map(step));
    lines.extend(tally(&plan.rows, plan.links));
    section(&mut lines, "changes", plan.differences.iter().map(difference));
    let count = super::quarantined(&plan.rows);
    lines.extend(quarantine(&plan.quarantine, count, "the first 1000 with `--json`"));
    section(&mut lines, "notes", plan.notes.iter().map(note));
    lines.extend(plan.experiences.iter().map(side_by_side));
    let created = plan.differences.iter().filter(|difference| difference.created).count();
    let updated = plan.differences.len() - created;
    lines.push(format!("{created} created, {updated} updated; nothing was written"));
    lines.push(format!("carry it out with: loadout upgrade apply {}", plan.id));
    lines.join("\n")
}

pub(super) fn status(status: &UpgradeStatus) -> String {
    let mut lines = vec![run(&status.run)];
    lines.extend(status.run.failure.iter().map(|failure| format!("it did not go on: {failure}")));
    if let Some(progress) = &status.progress {
        let of = progress.of.map_or_else(String::new, |of| format!(" of {of}"));
        let step = progress.step.as_deref().unwrap_or("rows");
        lines.push(format!("{} {step}: {}{of}", progress.phase.as_str(), progress.done));
    }
    if let Some(lease) = &status.run.lease {
        lines.push(format!("held by {}, last heard of {} seconds ago", lease.owner, lease.seconds));
    }
    lines.extend(tally(&status.rows, 0));
    let all = format!("all with `loadout upgrade rows {} --outcome quarantined`", status.run.id);
    lines.extend(quarantine(&status.quarantine, super::quarantined(&status.rows), &all));
    section(&mut lines, "notes", status.notes.iter().map(note));
    lines.join("\n")
}

/// A run that was rolled back, with the notes of the host about it.
pub(super) fn rolled_back(run: &Run, notes: &[Note]) -> String {
    let revision = run.undone.unwrap_or_default();
    let mut lines = vec![format!("upgrade {} from {} is rolled back by revision {revision}", run.id, run.source)];
    lines.extend(notes.iter().filter(|note| note.code == ENDED_BY_ROLL_BACK).map(note));
    lines.join("\n")
}

pub(super) fn history(runs: &[Run]) -> String {
    if runs.is_empty() {
        return "there was no upgrade yet".to_owned();
    }
    runs.iter().map(run).collect::<Vec<_>>().join("\n")
}

pub(super) fn row(row: &Accounted) -> String {
    let outcome = row.outcome.map_or("open", |outcome| outcome.as_str());
    let item = match (&row.collection, &row.name) {
        (Some(collection), Some(name)) => format!(" -> {collection}/{name}"),
        _ => String::new(),
    };
    let reason = row.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
    one_line(&format!("{outcome:13} {}{item}{reason}", row.key)).into_owned()
}

fn run(run: &Run) -> String {
    let revision = match (run.undone, run.revision) {
        (Some(undone), _) => format!(" by revision {undone}"),
        (None, Some(revision)) => format!(" as revision {revision}"),
        (None, None) => String::new(),
    };
    format!(
        "upgrade {} from {}: {}{revision}, begun {} by {}",
        run.id,
        run.source,
        run.state.as_str(),
        run.started,
        run.who
    )
}

fn step(step: &PlannedStep) -> String {
    let before = match (step.before, step.changed) {
        (Some(run), true) => format!(", another component than in upgrade {run}"),
        (Some(run), false) => format!(", as in upgrade {run}"),
        (None, _) => String::new(),
    };
    let skipped = step.skipped.as_ref().map_or_else(String::new, |why| format!(", left out: {why}"));
    format!("step {} {}{before}{skipped}", step.name, step.version)
}

fn tally(rows: &BTreeMap<String, BTreeMap<String, u64>>, links: u64) -> Vec<String> {
    let width = rows.keys().map(String::len).max().unwrap_or(0);
    let counts = |of_table: &BTreeMap<String, u64>| {
        of_table.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect::<Vec<_>>().join(", ")
    };
    let mut lines: Vec<String> = rows
        .iter()
        .map(|(table, of_table)| format!("rows  {:width$}  {}", one_line(table), counts(of_table)))
        .collect();
    if links > 0 {
        lines.push(format!("links {:width$}  {links} read", ""));
    }
    lines
}

fn difference(difference: &Difference) -> String {
    let Difference { collection, name, out_of_the_box, created, attributes, step } = difference;
    if *created {
        return format!("create {collection}/{name} ({step})");
    }
    let shipped = if *out_of_the_box { ", out of the box" } else { "" };
    let short =
        |value: &Option<Value>| value.as_ref().map_or_else(|| "nothing".to_owned(), |value| cut(&value.to_string()));
    let changes =
        attributes.iter().map(|it| format!("\n       {}: {} -> {}", it.path, short(&it.before), short(&it.after)));
    format!("update {collection}/{name} ({step}{shipped}){}", changes.collect::<String>())
}

fn note(note: &Note) -> String {
    let step = if note.step.is_empty() { String::new() } else { format!(" ({})", note.step) };
    one_line(&format!("note {} at {}: {}{step}", note.code, note.place, note.message)).into_owned()
}

fn side_by_side(it: &SideBySide) -> String {
    let user = it.user.as_deref().unwrap_or("a person without roles");
    let mut text = one_line(&format!("{user} in {}:", it.app)).into_owned();
    match (&it.before, &it.after) {
        (Answered::Refused(before), Answered::Refused(after)) if before == after => {
            return format!("{text} no experience before and after, because {}", one_line(before));
        }
        (Answered::Experience(_), Answered::Experience(_)) => {}
        (before, after) => {
            return format!("{text}\n       before: {}\n       after: {}", answered(before), answered(after));
        }
    }
    let changes = crate::upgrade::attribute_changes(&json!(it.before), &json!(it.after));
    // Numbers that are new each time say nothing about what a person gets.
    let telling = changes.iter().filter(|change| !["decisionId", "revision"].contains(&change.path.as_str()));
    let short =
        |value: &Option<Value>| value.as_ref().map_or_else(|| "nothing".to_owned(), |value| cut(&value.to_string()));
    let lines: Vec<String> =
        telling.map(|it| format!("\n       {}: {} -> {}", it.path, short(&it.before), short(&it.after))).collect();
    if lines.is_empty() {
        text.push_str(" the same before and after");
    }
    text + &lines.concat()
}

/// What comes of a question, in a few words.
fn answered(it: &Answered) -> String {
    match it {
        Answered::Refused(why) => format!("no experience, because {}", one_line(why)),
        Answered::Experience(attributes) => {
            let profile = attributes.get("profile").and_then(|profile| profile["uniqueName"].as_str());
            format!("the experience of profile `{}`", one_line(profile.unwrap_or_default()))
        }
    }
}

fn cut(text: &str) -> String {
    const LONGEST: usize = 160;
    match text.char_indices().nth(LONGEST) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// The first quarantined rows of `count`, and how to see `more`.
fn quarantine(rows: &[PlannedRow], count: u64, more: &str) -> Vec<String> {
    let shown = rows.iter().take(QUARANTINED_SHOWN);
    let line = |row: &PlannedRow| format!("quarantined {}/{}: {}", row.table, row.id, row.reason);
    let mut lines: Vec<String> = shown.map(|row| one_line(&line(row)).into_owned()).collect();
    let left = count.saturating_sub(lines.len() as u64);
    if left > 0 {
        lines.push(format!("… and {left} more quarantined rows: see {more}"));
    }
    lines
}

fn section(lines: &mut Vec<String>, what: &str, entries: impl ExactSizeIterator<Item = String>) {
    let count = entries.len();
    lines.extend(entries.take(SHOWN));
    if count > SHOWN {
        lines.push(format!("… and {} more {what}: see them with `--json`", count - SHOWN));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn side_by_side_says_why_there_is_no_experience() {
        let refused = |why: &str| Answered::Refused(why.to_owned());
        let of = |profile: &str, revision: u64| {
            Answered::of(&json!({ "revision": revision, "profile": { "uniqueName": profile } }))
        };
        let shown = |before: Answered, after: Answered| {
            side_by_side(&SideBySide { user: Some("kayla".to_owned()), app: "desk".to_owned(), before, after })
        };
        insta::assert_snapshot!(shown(refused("app `desk` does not exist"), refused("app `desk` does not exist")), @"kayla in desk: no experience before and after, because app `desk` does not exist");
        insta::assert_snapshot!(shown(refused("app `desk` does not exist"), of("p", 2)), @r"
        kayla in desk:
               before: no experience, because app `desk` does not exist
               after: the experience of profile `p`
        ");
        insta::assert_snapshot!(shown(refused("a"), refused("b")), @r"
        kayla in desk:
               before: no experience, because a
               after: no experience, because b
        ");
        insta::assert_snapshot!(shown(of("p", 1), of("p", 2)), @"kayla in desk: the same before and after");
        insta::assert_snapshot!(shown(of("p", 1), of("q", 2)), @r#"
        kayla in desk:
               profile.uniqueName: "p" -> "q"
        "#);
    }
}
