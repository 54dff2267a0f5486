//! A macro as a solution has it: a row, and a file with its definition.

use super::xml::Element;

/// A process: its element in `customizations.xml` and its definition.
pub(super) struct Workflow {
    pub(super) element: Element,
    pub(super) path: String,
    pub(super) definition: String,
}
