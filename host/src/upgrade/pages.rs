//! Makes pages: rows to migrate, with the rows related to them, small enough for a step.

use std::collections::BTreeSet;

use crate::domain::{Row, RowKey};
use crate::store::Error;
use crate::store::journal::Journal;

use super::step::{Page, SourceTable, StepInfo};

/// The most rows to migrate in one page.
const ROWS_MAX: usize = 100;
/// The size of a page in characters; the row that exceeds it is the last of the page.
const PAGE_MAX: usize = 1 << 20;
/// The most characters of one row and its related rows.
const ROW_MAX: usize = 8 << 20;
/// The longest path from a row to a related row.
const DEPTH_MAX: usize = 3;
/// The most rows that are related to one row.
const RELATED_MAX: usize = 2_000;

/// A page, and where the next one begins.
pub(super) struct Turned {
    pub(super) page: Page,
    /// The position of the last row of the page.
    pub(super) last: u64,
    /// Rows that have too many or too large related rows.
    pub(super) too_large: Vec<RowKey>,
}

/// The most rows of a table whose rows must come on one page.
const TOGETHER_MAX: usize = 2_000;
/// The most characters of such a page; rows beyond it are too many.
const TOGETHER_SIZE_MAX: usize = 8 << 20;
/// A position after all rows. Positions from here on count the tables whose rows come on one page.
const TOGETHER: u64 = 1 << 62;

/// The page of `step` after the position `after`; `None` if there are no more rows. Tables whose rows come on one page
/// are last.
pub(super) fn turn(journal: &Journal, step: &StepInfo, after: u64) -> Result<Option<Turned>, Error> {
    let of = |together: bool| step.tables.iter().filter(move |table| table.together == together);
    if after < TOGETHER {
        let tables: Vec<&str> = of(false).map(|table| table.name.as_str()).collect();
        let candidates = journal.open_rows(&tables, after, ROWS_MAX)?;
        if let Some(turned) = fill(journal, step, candidates, after, PAGE_MAX)? {
            return Ok(Some(turned));
        }
    }
    let done = usize::try_from(after.saturating_sub(TOGETHER)).unwrap_or(usize::MAX);
    for (index, table) in of(true).enumerate().skip(if after < TOGETHER { 0 } else { done + 1 }) {
        let mut candidates = journal.open_rows(&[&table.name], 0, usize::MAX >> 2)?;
        let left_over = candidates.split_off(candidates.len().min(TOGETHER_MAX));
        if let Some(mut turned) = fill(journal, step, candidates, after, TOGETHER_SIZE_MAX)? {
            turned.last = TOGETHER + index as u64;
            turned.too_large.extend(left_over.into_iter().map(|(_, key)| key));
            return Ok(Some(turned));
        }
    }
    Ok(None)
}

fn fill(
    journal: &Journal,
    step: &StepInfo,
    candidates: Vec<(u64, RowKey)>,
    after: u64,
    page_max: usize,
) -> Result<Option<Turned>, Error> {
    let (mut page, mut too_large) = (Page::default(), Vec::new());
    let (mut last, mut size, mut there) = (after, 0, BTreeSet::new());
    if candidates.is_empty() {
        return Ok(None);
    }
    for (ordinal, key) in candidates {
        if size > page_max && page_max == TOGETHER_SIZE_MAX {
            too_large.push(key);
            continue;
        }
        if size > page_max {
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

/// The rows related to `row`, and the characters of all of them with `row`; `None` if they are too many.
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
