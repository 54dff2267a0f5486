//! Imports the content of a solution instead of migrating it: its tables are this product's own. The journal takes over
//! the outcome of each row.

use std::sync::Arc;

use crate::domain::{Row, RowKey};
use crate::import::{self, LinkOutcome};
use crate::store::journal::{Account, Note, Outcome, Piece, StagedItem};
use crate::store::{Change, Snapshot};

use super::{Error, IMPORT};

/// Imports the solution `zip` over `base`, and stages its items.
pub(super) fn import(piece: &Piece<'_>, zip: &[u8], base: &Snapshot) -> Result<(), Error> {
    let mut plan = import::plan(zip, base)?;
    plan.expect_plugins(base);
    let import::Plan { changes, report, kept, .. } = plan;
    for change in changes.changes {
        if let Change::Put { name, item, .. } = change {
            piece.stage(&StagedItem { name, item, step: IMPORT.to_owned() })?;
        }
    }
    for component in &report.components {
        let key = key_of(component);
        // A file or a section that is no row is accounted for like a row.
        piece.add_row(&Row { key: key.clone(), ..Default::default() })?;
        let Some(outcome) = outcome_of(component.outcome) else { continue };
        let reason = component.notes.join("; ");
        let is_there = !matches!(outcome, Outcome::Quarantined);
        piece.account(
            &key,
            outcome,
            &Account {
                step: IMPORT,
                kind: component.collection.as_deref().filter(|_| is_there),
                name: component.name.as_deref().filter(|_| is_there),
                reason: Some(reason.as_str()).filter(|reason| !is_there && !reason.is_empty()),
            },
        )?;
    }
    // An import skips out-of-the-box items; the values kept from an older environment are taken over here.
    for (name, item) in kept {
        let collection = item.kind().collection();
        let here = base.entry(item.kind(), &name).map(|here| here.item.to_json());
        let outcome = if here == Some(item.to_json()) { Outcome::AlreadyThere } else { Outcome::Migrated };
        let account = Account { step: IMPORT, kind: Some(collection), name: Some(&name), reason: None };
        piece.account(&RowKey::new(format!("loadout/{collection}"), name.as_ref()), outcome, &account)?;
        piece.stage(&StagedItem { name: Arc::clone(&name), item, step: IMPORT.to_owned() })?;
    }
    let note = |code: &str, place: String, message: String| Note {
        step: IMPORT.to_owned(),
        code: code.to_owned(),
        place,
        message,
    };
    for warning in report.warnings {
        piece.note(&note(&warning.code, warning.place, warning.message))?;
    }
    for link in report.links.into_iter().filter(|link| link.outcome == LinkOutcome::LeftOut) {
        let message = link.reason.unwrap_or_default();
        piece.note(&note("link-left-out", format!("{}: {}", link.table, link.ends.join(" ")), message))?;
    }
    for missing in report.dependencies.into_iter().filter(|dependency| !dependency.satisfied) {
        let place = format!("{}/{}", missing.required_table, missing.required_name);
        let message = format!("`{}` needs it, and it is neither in the solution nor here", missing.dependent_name);
        piece.note(&note("dependency-missing", place, message))?;
    }
    Ok(())
}

/// Accounts for components that the import skipped and no step used, with the import's reasons.
pub(super) fn keep_skipped(piece: &Piece<'_>, components: &[import::Component]) -> Result<(), Error> {
    for component in components.iter().filter(|component| outcome_of(component.outcome).is_none()) {
        let reason = component.notes.join("; ");
        let account = Account { step: IMPORT, reason: Some(&reason), ..Account::default() };
        piece.account(&key_of(component), Outcome::Kept, &account)?;
    }
    Ok(())
}

fn key_of(component: &import::Component) -> RowKey {
    let table = if component.table.is_empty() { "file" } else { &component.table };
    RowKey::new(table, &component.source_name)
}

/// The outcome of a row for an outcome of the import; `None` for a skipped row, which a step may use.
fn outcome_of(outcome: import::Outcome) -> Option<Outcome> {
    match outcome {
        import::Outcome::Created | import::Outcome::Updated => Some(Outcome::Migrated),
        import::Outcome::Merged => Some(Outcome::Merged),
        import::Outcome::Unchanged => Some(Outcome::AlreadyThere),
        import::Outcome::Quarantined => Some(Outcome::Quarantined),
        import::Outcome::Skipped => None,
    }
}
