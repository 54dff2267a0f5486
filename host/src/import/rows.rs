//! Collects the rows of an archive, sorted by table.
//!
//! A row is a file `<folder>/<unique name>/<table>.xml`. Files that look like rows but are none are returned
//! separately.

use std::collections::{BTreeMap, BTreeSet};

use super::Error;
use super::archive::Archive;
use super::layout::is_document;
use super::layout::is_litter;
use super::row::Row;
use super::xml::{self, Budget};

/// The rows that were not taken yet, by table, sorted by name, so that the order of files does not matter.
#[derive(Debug, Default)]
pub(super) struct Rows {
    by_table: BTreeMap<String, Vec<Row>>,
    /// Rows with columns that were left out because they hold secrets: table and name, and the columns.
    pub(super) without_secrets: Vec<(String, Vec<String>)>,
}

/// Files that look like rows and are none, each with the problem.
pub(super) type Spoilt = Vec<(String, String)>;

impl Rows {
    /// Takes the rows out of an archive. Refuses the archive if a file is hostile; any other unreadable file only
    /// spoils itself. `whole` says that the archive is complete, see [`Row::of_whole`].
    pub(super) fn take_from(
        archive: &mut Archive<'_>,
        whole: bool,
        budget: &mut Budget,
    ) -> Result<(Self, Spoilt), Error> {
        let (mut rows, mut spoilt) = (Self::default(), Spoilt::new());
        let mut seen = BTreeSet::new();
        let is_row = |path: &str| {
            !is_document(path) && !is_litter(path) && path.split('/').count() == 3 && path.ends_with(".xml")
        };
        let paths: Vec<String> = archive.paths().filter(|path| is_row(path)).map(str::to_owned).collect();
        for path in paths {
            let Some(content) = archive.take(&path)? else { continue };
            match xml::parse_within(&path, &content, budget) {
                Ok(root) => {
                    let folder = path.split('/').nth(1).unwrap_or_default();
                    let row = Row::new(&path, folder, root);
                    let mut row = if whole { row.of_whole() } else { row };
                    if !row.secrets.is_empty() {
                        let columns = std::mem::take(&mut row.secrets);
                        rows.without_secrets.push((format!("{}/{}", row.table, row.name), columns));
                    }
                    if seen.insert((row.table.clone(), row.name.clone())) {
                        rows.by_table.entry(row.table.clone()).or_default().push(row);
                    } else {
                        spoilt.push((path, format!("another file has the row `{}`: keep one of them", row.name)));
                    }
                }
                Err(error) if error.problem.is_hostile() => return Err(error.into()),
                Err(error) => spoilt.push((path, error.to_string())),
            }
        }
        for of_table in rows.by_table.values_mut() {
            of_table.sort_by(|a, b| a.name.cmp(&b.name));
        }
        Ok((rows, spoilt))
    }

    /// Takes the rows of a table.
    pub(super) fn take(&mut self, table: &str) -> Vec<Row> {
        self.by_table.remove(table).unwrap_or_default()
    }

    /// Takes the rows of all tables that were not taken.
    pub(super) fn rest(&mut self) -> impl Iterator<Item = (String, Vec<Row>)> {
        std::mem::take(&mut self.by_table).into_iter()
    }
}
