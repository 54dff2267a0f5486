//! Collects the tables of a solution: rows, links, macros.
//!
//! A row has one name in its table. A part of an item keeps the name it was imported with. A part that never was a row,
//! or whose name another row has, gets a name derived from that of the item.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Item, Language, Name, ProductivityPane, Source};
use crate::store::{Entry, Layer, Snapshot};

use super::row::Row;
use super::workflow::Workflow;
use super::xml::can_carry;

/// The tables of a solution while they are collected.
pub(super) struct Tables<'a> {
    pub(super) snapshot: &'a Snapshot,
    /// The language of texts that have no translation.
    pub(super) language: Language,
    /// The prefix of the publisher.
    pub(super) prefix: &'a str,
    pub(super) rows: BTreeMap<(&'static str, String), Row>,
    pub(super) links: BTreeSet<Link>,
    /// Macros by GUID.
    pub(super) workflows: BTreeMap<String, Workflow>,
    /// The GUIDs of macros in the archive, by name.
    pub(super) macro_ids: BTreeMap<String, String>,
    /// The panes that are written under their own names, without settings of tools.
    pub(super) panes: BTreeMap<String, ProductivityPane>,
    kept: Kept,
}

/// Columns of rows that are parts of items here, by table and row.
type Kept = BTreeMap<(String, String), BTreeMap<String, String>>;

/// A many-to-many link.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Link {
    /// The table of the link.
    pub(super) table: &'static str,
    /// The columns that the link joins, sorted, with the unique names.
    pub(super) ends: [(&'static str, String); 2],
}

impl<'a> Tables<'a> {
    pub(super) fn new(snapshot: &'a Snapshot, prefix: &'a str) -> Self {
        let language = snapshot.environment().base_language;
        Self {
            snapshot,
            language,
            prefix,
            rows: BTreeMap::new(),
            links: BTreeSet::new(),
            workflows: BTreeMap::new(),
            macro_ids: BTreeMap::new(),
            panes: BTreeMap::new(),
            kept: kept(snapshot),
        }
    }

    /// The custom items of `T`, sorted by name.
    pub(super) fn custom<T: Item>(&self) -> impl Iterator<Item = (Name<T>, &'a T)> + use<'a, T> {
        let custom = self.snapshot.entries(T::KIND).filter(|(_, entry)| entry.layer == Layer::Custom);
        custom.filter_map(|(name, entry): (_, &'a Entry)| Some((name.parse().ok()?, T::from_any(&entry.item)?)))
    }

    /// Adds the row of an item, with the columns it was imported with. An item whose name XML cannot hold gets no row.
    pub(super) fn item(
        &mut self,
        table: &'static str,
        name: impl ToString,
        source: Option<&Source>,
        fill: impl FnOnce(&mut Row),
    ) {
        let name = name.to_string();
        if can_carry(&name) {
            let mut row = Row::new(table, name, self.language);
            fill(&mut row);
            row.source(source);
            self.add(row);
        }
    }

    /// Adds the row of a part of an item: under its own name, or under `made_up` if it has none or the name is taken.
    /// `dress` adds columns that only a made-up row needs. Returns the name.
    pub(super) fn part(
        &mut self,
        table: &'static str,
        own: Option<&str>,
        made_up: &str,
        fill: impl Fn(&mut Row),
        dress: impl FnOnce(&mut Row),
    ) -> String {
        if let Some(own) = own.filter(|own| !own.is_empty() && can_carry(own)) {
            let mut row = Row::new(table, own, self.language);
            fill(&mut row);
            if let Some(kept) = self.kept.get(&(table.to_owned(), own.to_owned())) {
                row.keep(kept);
            }
            row.own();
            if self.add(row) {
                return own.to_owned();
            }
        }
        let name = self.free_name(table, made_up);
        let mut row = Row::new(table, &name, self.language);
        fill(&mut row);
        dress(&mut row);
        self.add(row);
        name
    }

    /// Adds a row, unless another row has its name. Returns whether the table has this row now.
    fn add(&mut self, row: Row) -> bool {
        *self.rows.entry((row.table, row.name.clone())).or_insert_with(|| row.clone()) == row
    }

    fn free_name(&self, table: &'static str, wanted: &str) -> String {
        let wanted: String = wanted
            .chars()
            .map(|c| if c.is_control() || !can_carry(c.encode_utf8(&mut [0; 4])) { '_' } else { c })
            .collect();
        let numbered = (2..).map(|number| format!("{wanted}_{number}"));
        let mut names = std::iter::once(wanted.to_owned()).chain(numbered);
        let free = names.find(|name| !self.rows.contains_key(&(table, name.clone())));
        free.unwrap_or_default() // There is always a free number.
    }

    /// Adds a link between two rows.
    pub(super) fn link(&mut self, table: &'static str, one: (&'static str, &str), other: (&'static str, &str)) {
        let mut ends = [one, other].map(|(column, name)| (column, name.to_owned()));
        ends.sort();
        if ends.iter().all(|(_, name)| can_carry(name)) {
            self.links.insert(Link { table, ends });
        }
    }
}

/// The names of the rows of `table` of which an item keeps columns.
pub(super) fn rows_of<'s>(source: Option<&'s Source>, table: &str) -> BTreeSet<&'s str> {
    let keys = source.into_iter().flat_map(|source| source.attributes.keys());
    keys.filter_map(|key| split(key).filter(|(of, _, _)| *of == table).map(|(_, row, _)| row)).collect()
}

/// The table, the row and the column in the key of an attribute that is kept of a part of an item.
fn split(key: &str) -> Option<(&str, &str, &str)> {
    let (table, rest) = key.split_once('/')?;
    let (row, column) = rest.rsplit_once('/')?;
    Some((table, row, column))
}

fn kept(snapshot: &Snapshot) -> Kept {
    let mut kept = Kept::new();
    for kind in crate::domain::Kind::ALL {
        for (_, entry) in snapshot.entries(*kind).filter(|(_, entry)| entry.layer == Layer::Custom) {
            let json = entry.item.to_json();
            let attributes = json.pointer("/source/attributes").and_then(serde_json::Value::as_object);
            for (key, value) in attributes.into_iter().flatten() {
                if let (Some((table, row, column)), Some(value)) = (split(key), value.as_str()) {
                    let columns = kept.entry((table.to_owned(), row.to_owned())).or_default();
                    columns.entry(column.to_owned()).or_insert_with(|| value.to_owned());
                }
            }
        }
    }
    kept
}
