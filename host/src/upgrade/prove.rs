//! Tests a step before it is trusted: it must answer the same page in the same way, and carrying an answer out twice
//! must change nothing.

use std::sync::Arc;

use crate::domain::Kind;
use crate::store::Snapshot;
use crate::store::journal::Journal;

use super::Error;
use super::answer::{believe, fault, proposable};
use super::meaning::{Meanings, label_beside};
use super::names::{ByLabel, by_source};
use super::pages::{Turned, turn};
use super::realise::realise;
use super::step::{Page, StepInfo, Steps};

/// Takes the first pages of a step as samples, before the step migrates rows. Refuses a step whose second answer to a
/// page differs.
pub(super) fn samples(
    steps: &dyn Steps,
    journal: &Journal,
    step: &StepInfo,
    library: &Arc<Snapshot>,
    most: usize,
) -> Result<Vec<Page>, Error> {
    let (mut after, mut samples) = (0, Vec::new());
    while samples.len() < most
        && let Some(Turned { page, last, .. }) = turn(journal, step, after)?
    {
        after = last;
        let answer = steps.migrate(&step.name, &page, library)?;
        believe(step, &page, &answer)?;
        if steps.migrate(&step.name, &page, library)? != answer {
            let message = "it answered differently when it was asked the same thing again".to_owned();
            return Err(fault(step, "step.differs", message).into());
        }
        samples.push(page);
    }
    Ok(samples)
}

/// Migrates samples again over `after`, the library with all proposals of the step; `by_label` belongs to the library
/// before the step. Refuses a step that would change an item it has just made.
pub(super) fn twice_is_once(
    steps: &dyn Steps,
    journal: &Journal,
    step: &StepInfo,
    samples: &[Page],
    (after, by_label, prefix): (&Arc<Snapshot>, &ByLabel, &str),
) -> Result<(), Error> {
    if samples.is_empty() {
        return Ok(());
    }
    let by_source = by_source(after);
    let meanings = Meanings { library: after, by_source: &by_source, by_label, prefix };
    for page in samples {
        let again = steps.migrate(&step.name, page, after)?;
        believe(step, page, &again)?;
        let called = |kind: Kind, alias: &str| {
            let label = || Ok(page.rows.iter().chain(&page.related).find_map(|row| label_beside(row, alias)));
            meanings.of(kind, alias, &|alias| journal.called(kind.collection(), alias), &label)
        };
        for upsert in &again.upserts {
            let Some(kind) = proposable(&upsert.kind) else { continue };
            let own = upsert.sources.first().map_or("", |row| row.id.as_str());
            let mut names = called(kind, own)?.names;
            if names.len() > 1 {
                // A row may have become several items; the name of the proposal tells which one this is.
                let so_called = called(kind, &upsert.name)?.names;
                names.retain(|name| so_called.contains(name));
            }
            let there = after.canonical(kind, &upsert.name).map(|name| name.to_string());
            let Some(name) = names.first().filter(|_| !upsert.merges).cloned().or(there).or(names.first().cloned())
            else {
                continue;
            };
            let now = after.entry(kind, &name).map(|entry| &entry.item);
            let became = realise(after, &called, (kind, &name), now, upsert.merges, &upsert.attributes)?;
            let Ok(became) = became else { continue };
            if now.is_none_or(|now| now.to_json() != became.item.to_json()) {
                let message = format!("it would change `{name}` of `{}` again after it made it so", upsert.kind);
                return Err(fault(step, "step.not-idempotent", message).into());
            }
        }
    }
    Ok(())
}
