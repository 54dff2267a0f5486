//! Rows of old environments, as exports have them: columns and texts, and the rows they point to.
//!
//! Nothing is known here of what a column means. That is the business of whoever reads the row.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One row of an old environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// What it is known by.
    pub key: RowKey,
    /// Column and text, as the table writes it. Columns without a value are left out.
    pub values: Vec<(String, String)>,
    /// The rows its columns name.
    pub look_ups: Vec<LookUp>,
    /// The rows it is linked to, many to many, from either end.
    pub links: Vec<Link>,
}

/// What a row is known by.
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
    /// How the row is called, as far as the source says.
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
    /// The row `id` of `table`.
    pub fn new(table: impl Into<String>, id: impl Into<String>) -> Self {
        Self { table: table.into(), id: id.into() }
    }
}

impl fmt::Display for RowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.table, self.id)
    }
}
