//! The notes of an upgrade about direct assignments that end, because profiles begin to serve other apps.
//!
//! Names a bounded number of profiles, and never a person.

use serde_json::{Value, json};

use crate::domain::SecondAssignment;
use crate::store::Displaced;
use crate::store::journal::Note;

/// The code of notes about assignments that ended.
const ENDED: &str = "assignments-ended";
/// The code of notes about assignments that the roll-back of a run ended.
pub const ENDED_BY_ROLL_BACK: &str = "assignments-ended-by-roll-back";
/// The code of notes about assignments that keep a plan from being carried out.
const REFUSED: &str = "second-assignment-refused";

/// The field of these notes in the report of a run.
const NOTES: &str = "endedAssignments";

/// Returns the notes of a plan about the assignments that its upgrade would end.
pub(super) fn planned(displaced: &[Displaced], second: SecondAssignment) -> Vec<Note> {
    let mut notes = notes(displaced, ENDED);
    if second == SecondAssignment::IsRefused {
        for note in &mut notes {
            note.code = REFUSED.to_owned();
            note.message.push_str(
                "; this environment refuses a second assignment, so the plan cannot be carried out: take these people out of one of the two profiles, then plan again",
            );
        }
    }
    notes
}

/// Adds the assignments that an upgrade ended to its report.
pub(super) fn applied(report: &Value, displaced: &[Displaced]) -> String {
    with(report, notes(displaced, ENDED))
}

/// Adds the assignments that the roll-back of an upgrade ended to its report.
pub(super) fn rolled_back(report: &Value, displaced: &[Displaced]) -> String {
    with(report, notes(displaced, ENDED_BY_ROLL_BACK))
}

/// Returns the notes in the report of a run. A report of an older program has none.
pub(super) fn of_report(report: Option<&Value>) -> Vec<Note> {
    let kept = report.and_then(|report| report.get(NOTES)).cloned();
    kept.and_then(|notes| serde_json::from_value(notes).ok()).unwrap_or_default()
}

fn notes(displaced: &[Displaced], code: &str) -> Vec<Note> {
    let note = |(place, message)| Note { step: String::new(), code: code.to_owned(), place, message };
    Displaced::told(displaced).into_iter().map(note).collect()
}

fn with(report: &Value, more: Vec<Note>) -> String {
    let mut report = report.clone();
    if !more.is_empty() {
        let mut notes = of_report(Some(&report));
        notes.extend(more);
        report[NOTES] = json!(notes);
    }
    report.to_string()
}
