//! Checks a step's answer: it may only refer to rows of its page, must account for all of them, and may only propose
//! possible items.

use std::collections::BTreeSet;

use crate::domain::{Kind, RowKey};

use super::step::{Migration, Page, StepFault, StepInfo, StepNote, Upsert};

/// The kind of the collection, if a step may propose items of it.
pub(super) fn proposable(collection: &str) -> Option<Kind> {
    let kind: Kind = collection.parse().ok()?;
    // People, and their settings, belong to one environment (ruling 8.16).
    (kind.is_collection() && kind != Kind::User).then_some(kind)
}

/// Refuses an answer that breaks these rules.
pub fn believe(step: &StepInfo, page: &Page, answer: &Migration) -> Result<(), StepFault> {
    let fault = |code: &str, message: String| Err(fault(step, code, message));
    let roots: BTreeSet<&RowKey> = page.rows.iter().map(|row| &row.key).collect();
    let known: BTreeSet<&RowKey> = page.related.iter().map(|row| &row.key).chain(roots.iter().copied()).collect();
    let mut used = BTreeSet::new();
    for upsert in &answer.upserts {
        let what = format!("`{}` of `{}`", upsert.name, upsert.kind);
        if let Err(reason) = possible(upsert) {
            return fault("step.invalid-proposal", format!("it proposed {what}: {reason}"));
        }
        for source in &upsert.sources {
            if !known.contains(source) {
                return fault("step.unknown-row", format!("it made {what} of `{source}`, which was not on its page"));
            }
            used.insert(source);
        }
    }
    let mut quarantined = BTreeSet::new();
    for one in &answer.quarantine {
        if !known.contains(&one.row) {
            return fault("step.unknown-row", format!("it quarantined `{}`, which was not on its page", one.row));
        }
        if one.reason.trim().is_empty() {
            return fault("step.no-reason", format!("it quarantined `{}` without a reason", one.row));
        }
        quarantined.insert(&one.row);
    }
    if let Some(lost) = roots.iter().find(|row| !used.contains(**row) && !quarantined.contains(**row)) {
        return fault("step.lost-row", format!("it neither used nor quarantined `{lost}`, which was on its page"));
    }
    if let Some(both) = quarantined.iter().find(|row| answer.upserts.iter().any(|it| it.sources.first() == Some(**row)))
    {
        return fault("step.contradiction", format!("it made an item of `{both}` and quarantined it, too"));
    }
    believe_notes(step, page, &answer.notes)
}

/// Refuses notes about rows that were not on the step's page.
pub(super) fn believe_notes(step: &StepInfo, page: &Page, notes: &[StepNote]) -> Result<(), StepFault> {
    let known = |key: &RowKey| page.rows.iter().chain(&page.related).any(|row| row.key == *key);
    match notes.iter().filter_map(|note| note.row.as_ref()).find(|row| !known(row)) {
        None => Ok(()),
        Some(row) => {
            Err(fault(step, "step.unknown-row", format!("it noted something about `{row}`, which was not on its page")))
        }
    }
}

fn possible(upsert: &Upsert) -> Result<(), String> {
    if proposable(&upsert.kind).is_none() {
        return Err("no item of this collection comes from rows".to_owned());
    }
    if upsert.name.trim().is_empty() {
        return Err("it has no name".to_owned());
    }
    if upsert.sources.is_empty() {
        return Err("it was made of no row".to_owned());
    }
    match serde_json::from_str(&upsert.attributes) {
        Ok(serde_json::Value::Object(_)) => Ok(()),
        Ok(_) => Err("its attributes are no JSON object".to_owned()),
        Err(error) => Err(format!("its attributes are not JSON: {error}")),
    }
}

/// Makes the fault of `step` for a broken rule.
pub(super) fn fault(step: &StepInfo, code: &str, message: String) -> StepFault {
    StepFault { step: step.label(), code: code.to_owned(), message }
}

#[cfg(test)]
mod tests {
    use super::super::step::Quarantined;
    use super::*;
    use crate::domain::Row;

    fn key(id: &str) -> RowKey {
        RowKey::new("t", id)
    }

    fn believed(upserts: &[(&str, &str, &[&str], &str)], quarantine: &[(&str, &str)]) -> String {
        let row = |id: &str| Row { key: key(id), ..Row::default() };
        let page = Page { rows: vec![row("a"), row("b")], related: vec![row("r")] };
        let upserts = upserts.iter().map(|(kind, name, sources, attributes)| Upsert {
            kind: (*kind).to_owned(),
            name: (*name).to_owned(),
            attributes: (*attributes).to_owned(),
            sources: sources.iter().map(|id| key(id)).collect(),
            ..Upsert::default()
        });
        let quarantine = quarantine.iter().map(|(id, reason)| Quarantined {
            row: key(id),
            code: "c".to_owned(),
            reason: (*reason).to_owned(),
        });
        let answer = Migration { upserts: upserts.collect(), quarantine: quarantine.collect(), notes: Vec::new() };
        let step = StepInfo { name: "a/b".to_owned(), version: "1.0.0".to_owned(), ..StepInfo::default() };
        believe(&step, &page, &answer)
            .map_or_else(|fault| format!("{}: {}", fault.code, fault.message), |()| "yes".into())
    }

    #[test]
    fn an_answer_speaks_of_its_page_and_of_all_of_it() {
        let all: &[&str] = &["a", "b", "r"];
        for (upserts, quarantine, expected) in [
            (&[("queues", "Q", all, "{}")][..], &[][..], "yes"),
            (&[("queues", "Q", &["a"], "{}")], &[("b", "no name")], "yes"),
            (&[("queues", "Q", &["a"], "{}")], &[], "step.lost-row: it neither used nor quarantined `t/b`"),
            (&[("queues", "Q", &["x"], "{}")], &[], "step.unknown-row: it made `Q` of `queues` of `t/x`"),
            (&[("queues", "Q", all, "{}")], &[("x", "y")], "step.unknown-row: it quarantined `t/x`"),
            (&[("queues", "Q", all, "{}")], &[("a", "y")], "step.contradiction: it made an item of `t/a`"),
            (&[("queues", "Q", &["a"], "{}")], &[("b", " ")], "step.no-reason: it quarantined `t/b`"),
            (&[("users", "Q", all, "{}")], &[], "step.invalid-proposal: it proposed `Q` of `users`: no item"),
            (&[("nothing", "Q", all, "{}")], &[], "step.invalid-proposal: it proposed `Q` of `nothing`: no item"),
            (&[("queues", " ", all, "{}")], &[], "step.invalid-proposal: it proposed ` ` of `queues`: it has no name"),
            (
                &[("queues", "Q", &[], "{}")],
                &[],
                "step.invalid-proposal: it proposed `Q` of `queues`: it was made of no",
            ),
            (
                &[("queues", "Q", all, "[]")],
                &[],
                "step.invalid-proposal: it proposed `Q` of `queues`: its attributes are no",
            ),
            (
                &[("queues", "Q", all, "{")],
                &[],
                "step.invalid-proposal: it proposed `Q` of `queues`: its attributes are not",
            ),
        ] {
            let found = believed(upserts, quarantine);
            assert!(found.starts_with(expected), "{found}");
        }
    }
}
