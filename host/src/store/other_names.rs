//! The names of items besides their unique names: the aliases of apps, the kinds of pane tools, the display names of
//! roles.
//!
//! They are kept with a snapshot, so that a name leads to its item in one look-up, however many items and aliases there
//! are.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::{AnyItem, Kind};

/// The further names of items, by kind.
#[derive(Debug, Clone, Default)]
pub(super) struct OtherNames(BTreeMap<Kind, Arc<Names>>);

/// The items that answer to each name.
type Names = BTreeMap<Box<str>, BTreeSet<Arc<str>>>;

impl OtherNames {
    /// Adds the other names of the item called `name`.
    pub(super) fn add(&mut self, name: &Arc<str>, item: &AnyItem) {
        for other in of(item) {
            let names = Arc::make_mut(self.0.entry(item.kind()).or_default());
            match names.get_mut(other) {
                Some(answering) => drop(answering.insert(Arc::clone(name))),
                None => drop(names.insert(other.into(), BTreeSet::from([Arc::clone(name)]))),
            }
        }
    }

    /// Removes the other names of the item called `name`.
    pub(super) fn take(&mut self, name: &str, item: &AnyItem) {
        for other in of(item) {
            let Some(names) = self.0.get_mut(&item.kind()).map(Arc::make_mut) else { return };
            let Some(answering) = names.get_mut(other) else { continue };
            answering.remove(name);
            if answering.is_empty() {
                names.remove(other);
            }
        }
    }

    /// Returns the items of `kind` that answer to `other`.
    pub(super) fn answering(&self, kind: Kind, other: &str) -> impl Iterator<Item = &Arc<str>> {
        self.0.get(&kind).and_then(|names| names.get(other)).into_iter().flatten()
    }

    /// Returns the one item of `kind` that answers to `other`. `None` if several do.
    pub(super) fn only(&self, kind: Kind, other: &str) -> Option<&Arc<str>> {
        let mut answering = self.0.get(&kind)?.get(other)?.iter();
        answering.next().filter(|_| answering.next().is_none())
    }
}

/// Returns the names of an item besides its unique name.
fn of(item: &AnyItem) -> impl Iterator<Item = &str> {
    let (aliases, one) = match item {
        AnyItem::App(app) => (Some(&app.aliases), None),
        AnyItem::PaneTool(tool) => (None, Some(tool.kind.as_str())),
        AnyItem::SecurityRole(role) => (None, Some(role.name.default_text())),
        _ => (None, None),
    };
    aliases.into_iter().flatten().map(|alias| alias.as_str()).chain(one)
}
