//! Bounds the tables of one archive, below the limits of the import.
//!
//! Content that does not fit is written as documents, which the import reads one by one. So every environment within
//! the bounds of a library can be exported.

use super::customizations;
use super::tables::Tables;
use super::xml::Element;

/// The most rows. Each row is a file, and each document is one.
const ROWS_MAX: usize = 10_000;
/// The most elements and attributes of all tables.
const NODES_MAX: usize = 400_000;
/// The most bytes of macros and links, which are in one document.
const CUSTOMIZATIONS_MAX: usize = 6 << 20;
/// The most bytes of one row, as its document.
const ROW_MAX: usize = 4 << 20;
/// The most bytes of all rows.
const BYTES_MAX: usize = 32 << 20;

/// The room that is left.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    pub(super) rows: usize,
    pub(super) nodes: usize,
    /// Bytes of macros and links.
    pub(super) customizations: usize,
    /// Bytes of rows.
    pub(super) bytes: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self { rows: ROWS_MAX, nodes: NODES_MAX, customizations: CUSTOMIZATIONS_MAX, bytes: BYTES_MAX }
    }
}

/// Removes from the tables what does not fit into `room`.
pub(super) fn keep_what_fits(tables: &mut Tables<'_>, mut room: Room) {
    tables.workflows.retain(|_, workflow| room.of_customizations(&workflow.element));
    tables.links.retain(|link| room.of_customizations(&customizations::row(link)));
    tables.rows.retain(|_, row| room.of_row(&row.element()));
}

impl Room {
    fn of_customizations(&mut self, element: &Element) -> bool {
        let (nodes, bytes) = (element.nodes(), element.document().len());
        let fits = nodes <= self.nodes && bytes <= self.customizations;
        if fits {
            self.nodes -= nodes;
            self.customizations -= bytes;
        }
        fits
    }

    fn of_row(&mut self, element: &Element) -> bool {
        let (nodes, bytes) = (element.nodes(), element.document().len());
        let fits = self.rows > 0 && nodes <= self.nodes && bytes <= self.bytes.min(ROW_MAX);
        if fits {
            self.rows -= 1;
            self.nodes -= nodes;
            self.bytes -= bytes;
        }
        fits
    }
}
