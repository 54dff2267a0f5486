//! Checks a library as a write would, before it is written.
//!
//! Refuses what a write would refuse: broken rules, references to missing items, and a library that is too large.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::domain::{InvalidItem, Kind, Problems};

use super::checks::{self, Finding};
use super::{Error, MissingReference, Snapshot, Tolerated, bounds};

/// Checks the items of `library` that are `touched`, and the items that depend on them, as a write over `before` with
/// [`Strictness::Report`](super::Strictness::Report) would. Returns the problems that such a write reports; any other
/// problem is an error.
pub fn review(
    before: &Snapshot,
    library: &Snapshot,
    touched: &BTreeSet<(Kind, Arc<str>)>,
) -> Result<Vec<Tolerated>, Error> {
    let mut missing = Vec::new();
    for (kind, name) in touched {
        let Some(entry) = library.entry(*kind, name) else { continue };
        entry.item.clone().references(&mut |reference| {
            let is_missing = || library.canonical(reference.kind, reference.name).is_none();
            if missing.len() < MissingReference::LISTED_MAX && is_missing() {
                missing.push(MissingReference {
                    collection: kind.collection().to_owned(),
                    name: name.to_string(),
                    attribute: reference.attribute.to_owned(),
                    wanted_in: reference.kind.collection().to_owned(),
                    wanted: reference.name.to_string(),
                });
            }
        });
    }
    if !missing.is_empty() {
        return Err(Error::MissingReferences(missing));
    }
    bounds::library(before, library)?;
    let mut tolerated = Vec::new();
    for Finding { kind, name, problem, refusal } in checks::check(library, touched) {
        let name = name.to_string();
        if !problem.tolerable {
            let invalid = InvalidItem { kind, name, problems: Problems(vec![problem]) };
            return Err(refusal.unwrap_or_else(|| invalid.into()));
        }
        tolerated.push(Tolerated { kind, name, problem });
    }
    Ok(tolerated)
}
