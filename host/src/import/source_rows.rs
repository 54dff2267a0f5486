//! Reads the rows of a solution unchanged, for an upgrade that migrates them instead of importing them.
//!
//! The key of a row is its table and unique name, of a process its GUID. The target of a look-up is known by its unique
//! name; its table is not given.

use crate::domain::{Row, RowKey};
use crate::store::journal::Edge;

use super::archive::Archive;
use super::customizations::{Customizations, Ends};
use super::report::SolutionSummary;
use super::rows::Rows;
use super::solution::Solution;
use super::source_row::source_row;
use super::xml::Budget;
use super::{CUSTOMIZATIONS, Error, SOLUTION, row, take, xml};

/// The rows of a solution, sorted.
pub(crate) struct SolutionRows {
    /// The solution's description of itself.
    pub(crate) summary: SolutionSummary,
    /// The version of the environment from which it was exported, unchanged.
    pub(crate) platform: Option<String>,
    /// The prefix for names made up for it.
    pub(crate) prefix: String,
    /// The rows.
    pub(crate) rows: Vec<Row>,
    /// The links between the rows.
    pub(crate) links: Vec<Edge>,
}

/// Reads the rows of the solution in `zip`.
pub(crate) fn rows(zip: &[u8]) -> Result<SolutionRows, Error> {
    let mut archive = Archive::read(zip)?;
    let root = xml::parse(SOLUTION, &take(&mut archive, SOLUTION)?)?;
    let solution = Solution::read(&root).ok_or(Error::NoManifest)?;
    let mut budget = Budget::default();
    let mut customizations = xml::parse_within(CUSTOMIZATIONS, &take(&mut archive, CUSTOMIZATIONS)?, &mut budget)?;
    customizations.leave_secrets();
    let Customizations { workflows, mut links, .. } = Customizations::read(customizations);
    let (mut files, _) = Rows::take_from(&mut archive, false, &mut budget)?;
    let mut rows: Vec<Row> = files.rest().flat_map(|(_, rows)| rows).map(row::Row::into_source).collect();
    rows.extend(workflows.into_iter().map(|it| source_row(RowKey::new("workflow", it.id), it.element)));
    let links = links.rest().into_iter().filter_map(edge).collect();
    Ok(SolutionRows {
        summary: solution.summary,
        platform: root.attribute("version").map(str::to_owned),
        prefix: solution.prefix,
        rows,
        links,
    })
}

/// The edge of a link, which names its ends by the columns of their keys, such as `msdyn_sessiontemplateid`.
fn edge(link: Ends) -> Option<Edge> {
    let mut ends = link.ends.into_iter().map(|(column, id)| {
        let table = column.strip_suffix("id").unwrap_or(&column);
        RowKey::new(table, id)
    });
    Some(Edge { relation: link.table, from: ends.next()?, to: ends.next()? })
}
