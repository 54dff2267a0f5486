//! Rows of old environments, as exports have them: columns and texts, and the rows they point to.
//!
//! Leaves the meaning of a column to the reader of the row.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One row of an old environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// The key of the row.
    pub key: RowKey,
    /// Column and text, as the table writes it. Columns without a value are left out.
    pub values: Vec<(String, String)>,
    /// The rows its columns name.
    pub look_ups: Vec<LookUp>,
    /// The rows it is linked to, many to many, from either end.
    pub links: Vec<Link>,
}

/// The key of a row.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RowKey {
    /// The table, such as `msdyn_sessiontemplate`.
    pub table: String,
    /// A GUID in lower case without braces, or a unique name.
    pub id: String,
}

/// A row named by a column of another.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookUp {
    /// The column.
    pub column: String,
    /// The table of the row; empty if the source does not say.
    pub table: String,
    /// The row.
    pub id: String,
    /// The display name of the row, if the source has it.
    pub label: String,
}

/// One end of a link between two rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Link {
    /// The relationship, as the source spells it.
    pub relationship: String,
    /// The table of the row at the other end; empty if the source does not say.
    pub table: String,
    /// The row at the other end.
    pub id: String,
}

impl RowKey {
    /// Makes the key of the row `id` of `table`.
    pub fn new(table: impl Into<String>, id: impl Into<String>) -> Self {
        Self { table: table.into(), id: id.into() }
    }
}

impl fmt::Display for RowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.table, self.id)
    }
}
