//! Pages of rows: those to migrate, and those around them.

use super::{LookUp, Row};

/// Rows to migrate, with the rows around them.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// Each must become a source of an upsert, or be quarantined.
    pub rows: Vec<Row>,
    /// Rows the manifest asked for in addition, each once.
    pub related: Vec<Row>,
}

impl Page {
    /// Returns the related rows of `table` that `row` names, is linked to, or is named by, in the order of the page.
    ///
    /// ```
    /// # use loadout_sdk::testing::page;
    /// let page = page(serde_json::json!({
    ///     "rows": [{ "table": "old_desk", "id": "1", "lookUps": [{ "column": "chair", "table": "old_chair", "id": "2" }] }],
    ///     "related": [{ "table": "old_chair", "id": "2" }, { "table": "old_chair", "id": "3" }],
    /// }));
    /// assert_eq!(page.around(&page.rows[0], "old_chair").count(), 1);
    /// ```
    pub fn around<'a>(&'a self, row: &'a Row, table: &'a str) -> impl Iterator<Item = &'a Row> {
        self.related.iter().filter(move |other| other.table == table && (row.points_to(other) || other.points_to(row)))
    }

    /// Returns the related row that a look-up leads to.
    ///
    /// ```
    /// # use loadout_sdk::testing::page;
    /// let page = page(serde_json::json!({
    ///     "rows": [{ "table": "old_desk", "id": "1", "lookUps": [{ "column": "chair", "table": "old_chair", "id": "2" }] }],
    ///     "related": [{ "table": "old_chair", "id": "2" }],
    /// }));
    /// let chair = page.rows[0].look_up("chair").and_then(|look_up| page.found(look_up));
    /// assert!(chair.is_some());
    /// ```
    pub fn found(&self, look_up: &LookUp) -> Option<&Row> {
        let leads = |row: &&Row| row.id == look_up.id && (look_up.table.is_empty() || look_up.table == row.table);
        self.related.iter().find(leads)
    }
}
