//! Pages: rows to migrate, with the rows around them, small enough to be handed to a step.

use std::collections::BTreeSet;

use crate::domain::{Row, RowKey};
use crate::store::Error;
use crate::store::journal::Journal;

use super::step::{Page, SourceTable, StepInfo};

/// Rows to migrate in one page, at most.
const ROWS_MAX: usize = 100;
/// Characters of one page; the row that passes it is the last.
const PAGE_MAX: usize = 1 << 20;
/// Characters that may belong to one row.
const ROW_MAX: usize = 8 << 20;
/// How far related rows are followed from the row they are there for.
const DEPTH_MAX: usize = 3;
/// Rows that may belong to one.
const RELATED_MAX: usize = 2_000;

/// A page, and where the next one begins.
pub(super) struct Turned {
    pub(super) page: Page,
    /// The position of its last row.
    pub(super) last: u64,
    /// Rows to which too much belongs.
    pub(super) too_large: Vec<RowKey>,
}

/// The page of `step` behind the row at `after`; nothing if there are no more rows.
pub(super) fn turn(journal: &Journal, step: &StepInfo, after: u64) -> Result<Option<Turned>, Error> {
    let tables: Vec<&str> = step.tables.iter().map(|table| table.name.as_str()).collect();
    let candidates = journal.open_rows(&tables, after, ROWS_MAX)?;
    let (mut page, mut too_large) = (Page::default(), Vec::new());
    let (mut last, mut size, mut there) = (after, 0, BTreeSet::new());
    if candidates.is_empty() {
        return Ok(None);
    }
    for (ordinal, key) in candidates {
        if size > PAGE_MAX {
            break;
        }
        last = ordinal;
        let Some(row) = journal.row(&key)? else { continue };
        let Some((related, own)) = belonging(journal, step, &row)? else {
            too_large.push(key);
            continue;
        };
        size += own;
        page.rows.push(row);
        page.related.extend(related.into_iter().filter(|row| there.insert(row.key.clone())));
    }
    Ok(Some(Turned { page, last, too_large }))
}

/// The rows that belong to `row`, and how many characters all of them have; nothing if that is too much.
fn belonging(journal: &Journal, step: &StepInfo, row: &Row) -> Result<Option<(Vec<Row>, usize)>, Error> {
    let with = step.tables.iter().find(|table| table.name == row.key.table).map(|SourceTable { with, .. }| with);
    let (mut size, mut related) = (characters(row), Vec::new());
    let mut seen = BTreeSet::from([row.key.clone()]);
    let mut edge = vec![row.key.clone()];
    for _ in 0..DEPTH_MAX {
        let mut further = Vec::new();
        for key in &edge {
            for found in journal.around(key, with.map_or(&[], Vec::as_slice))? {
                if !seen.insert(found.clone()) {
                    continue;
                }
                let Some(row) = journal.row(&found)? else { continue };
                size += characters(&row);
                related.push(row);
                further.push(found);
                if size > ROW_MAX || related.len() > RELATED_MAX {
                    return Ok(None);
                }
            }
        }
        edge = further;
    }
    Ok(if size > ROW_MAX { None } else { Some((related, size)) })
}

fn characters(row: &Row) -> usize {
    row.values.iter().map(|(column, text)| column.len() + text.len()).sum()
}
