//! Resolves the references of an old environment.
//!
//! A reference means the item that this upgrade, or an earlier one, made of the row it names, or an item of that name.
//! A reference to a row that is in no record is looked up by the label beside it, and resolves only if exactly one item
//! of its kind has that label: nothing is guessed.

use crate::domain::source::guid;
use crate::domain::{Kind, Row};
use crate::store::{Error, Snapshot};

use super::names::{ByLabel, BySource, made_before};

/// The names in which references are looked up.
pub(super) struct Meanings<'a> {
    /// The library at the moment of the look-up.
    pub(super) library: &'a Snapshot,
    /// The names of its items, by the IDs of the rows they came from.
    pub(super) by_source: &'a BySource,
    /// The names of the items that existed before the step, by their labels.
    pub(super) by_label: &'a ByLabel,
    /// The prefix for names that have none.
    pub(super) prefix: &'a str,
}

/// The result of looking up one reference.
#[derive(Debug, Default)]
pub(super) struct Meant {
    /// The names of the items made of rows with that name or ID.
    pub(super) names: Vec<String>,
    /// The label beside the reference, if it is needed and exists.
    pub(super) label: Option<String>,
    /// The items with that label.
    pub(super) labelled: Vec<String>,
}

impl Meanings<'_> {
    /// Looks `alias` up. `called` returns the items made of rows with a given name, `label` the label beside the
    /// reference.
    pub(super) fn of(
        &self,
        kind: Kind,
        alias: &str,
        called: &dyn Fn(&str) -> Result<Vec<String>, Error>,
        label: &dyn Fn() -> Result<Option<String>, Error>,
    ) -> Result<Meant, Error> {
        let mut names = called(alias)?;
        if names.is_empty() {
            names.extend(made_before(self.library, self.by_source, kind, alias, self.prefix));
        }
        if !names.is_empty() || self.library.canonical(kind, alias).is_some() {
            return Ok(Meant { names, ..Meant::default() });
        }
        let Some(label) = label()? else { return Ok(Meant::default()) };
        let mut labelled = called(&label)?;
        labelled.extend(self.by_label.get(&(kind, label.clone())).into_iter().flatten().cloned());
        labelled.sort();
        labelled.dedup();
        Ok(Meant { names, label: Some(label), labelled })
    }
}

/// The label beside a reference to `id` in a row.
pub(super) fn label_beside(row: &Row, id: &str) -> Option<String> {
    let is_same = |other: &str| other == id || (guid(other).is_some() && guid(other) == guid(id));
    let found = row.look_ups.iter().find(|it| is_same(&it.id) && !it.label.trim().is_empty());
    found.map(|it| it.label.clone())
}
