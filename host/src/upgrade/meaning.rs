//! What the references of an old environment mean here.
//!
//! A reference leads to what this upgrade made of the row it names, or an earlier one, or to an item of that name. One
//! to a row that is in no record is looked up by the name that stands beside it, and means an item only if that is the
//! one of its kind that is called so: nothing is guessed.

use crate::domain::source::guid;
use crate::domain::{Kind, Row};
use crate::store::{Error, Snapshot};

use super::names::{ByLabel, BySource, made_before};

/// What references are looked up in.
pub(super) struct Meanings<'a> {
    /// The library as it is looked at.
    pub(super) library: &'a Snapshot,
    /// What its items are called, by the ids of the rows they came from.
    pub(super) by_source: &'a BySource,
    /// What the items are called that were there before the step, by what is shown of them.
    pub(super) by_label: &'a ByLabel,
    /// The prefix of names that have none.
    pub(super) prefix: &'a str,
}

/// What one reference means.
#[derive(Debug, Default)]
pub(super) struct Meant {
    /// The items that rows of that name or id became.
    pub(super) names: Vec<String>,
    /// The name beside the reference, where it is needed and there is one.
    pub(super) label: Option<String>,
    /// The items that are called so.
    pub(super) labelled: Vec<String>,
}

impl Meanings<'_> {
    /// What `alias` means. `called` says which items rows became that are called something, `label` which name stands
    /// beside a reference.
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

/// The name that stands beside a reference to `id` in a row.
pub(super) fn label_beside(row: &Row, id: &str) -> Option<String> {
    let is_same = |other: &str| other == id || (guid(other).is_some() && guid(other) == guid(id));
    let found = row.look_ups.iter().find(|it| is_same(&it.id) && !it.label.trim().is_empty());
    found.map(|it| it.label.clone())
}
