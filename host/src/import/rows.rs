//! The rows of an archive, sorted by table.
//!
//! A row is a file `<folder>/<unique name>/<table>.xml`. Files that are none are handed back as they are.

use std::collections::{BTreeMap, BTreeSet};

use super::Error;
use super::archive::Archive;
use super::document::is_document;
use super::layout::is_litter;
use super::row::Row;
use super::xml::{self, Budget};

/// The rows nobody has read yet, by table, sorted by name: nothing may depend on the order of files.
#[derive(Debug, Default)]
pub(super) struct Rows {
    by_table: BTreeMap<String, Vec<Row>>,
    /// Rows some of whose columns were left behind, because they hold secrets: table and name, and the columns.
    pub(super) without_secrets: Vec<(String, Vec<String>)>,
}

/// Files that look like rows and are none, with what is wrong.
pub(super) type Spoilt = Vec<(String, String)>;

impl Rows {
    /// Takes the rows out of an archive. Refuses what nobody writes by mistake; anything else that cannot be read is
    /// only itself spoilt. `whole` says that the archive says everything, see [`Row::of_whole`].
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

    /// Takes the rows of every table that nobody asked for.
    pub(super) fn rest(&mut self) -> impl Iterator<Item = (String, Vec<Row>)> {
        std::mem::take(&mut self.by_table).into_iter()
    }
}
