//! Rows of an old environment as a case writes them, for upgrade steps.
//!
//! Refuses rows of tables the step would never be given, by what its manifest says.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::domain::row::{Link, LookUp};
use crate::domain::{Row, RowKey};
use crate::plugin::UpgradeSection;
use crate::upgrade::Page;

/// A page, key by key.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageCase {
    /// The rows to migrate.
    #[serde(default)]
    pub rows: Vec<RowCase>,
    /// The rows around them.
    #[serde(default)]
    pub related: Vec<RowCase>,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RowCase {
    /// The table.
    pub table: String,
    /// The id of the row.
    pub id: String,
    /// Text by column.
    #[serde(default)]
    pub values: BTreeMap<String, String>,
    /// The rows its columns name.
    #[serde(default)]
    pub look_ups: Vec<LookUpCase>,
    /// The rows it is linked to.
    #[serde(default)]
    pub links: Vec<LinkCase>,
}

/// A row named by a column of another.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LookUpCase {
    /// The column.
    pub column: String,
    /// The table of the row.
    #[serde(default)]
    pub table: String,
    /// The row.
    pub id: String,
    /// The label of the row.
    #[serde(default)]
    pub label: String,
}

/// One end of a link between two rows.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkCase {
    /// The relationship.
    #[serde(default)]
    pub relationship: String,
    /// The table of the row at the other end.
    #[serde(default)]
    pub table: String,
    /// The row at the other end.
    pub id: String,
}

impl PageCase {
    /// Returns the page. Refuses one that the step is never given.
    pub(super) fn page(&self, step: &UpgradeSection) -> Result<Page, String> {
        for RowCase { table, id, .. } in &self.rows {
            if !step.tables.iter().any(|known| known.name == *table) {
                let names: Vec<&str> = step.tables.iter().map(|table| table.name.as_str()).collect();
                let names = names.join("`, `");
                return Err(format!("the step is not given `{id}` of `{table}`: its manifest names `{names}`"));
            }
        }
        for RowCase { table, id, .. } in &self.related {
            if !step.tables.iter().any(|known| known.with.contains(table)) {
                return Err(format!("`{id}` of `{table}` is related to nothing: the manifest has no table `with` it"));
            }
        }
        let all = |rows: &[RowCase]| rows.iter().map(RowCase::row).collect();
        Ok(Page { rows: all(&self.rows), related: all(&self.related) })
    }
}

impl RowCase {
    fn row(&self) -> Row {
        let look_ups = self.look_ups.iter().cloned();
        let look_ups =
            look_ups.map(|LookUpCase { column, table, id, label }| LookUp { column, table, id, label }).collect();
        let links = self.links.iter().cloned();
        let links = links.map(|LinkCase { relationship, table, id }| Link { relationship, table, id }).collect();
        let values = self.values.clone().into_iter().collect();
        Row { key: RowKey::new(&self.table, &self.id), values, look_ups, links }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::upgrade::SourceTable;

    fn said(page: Value) -> String {
        let desk = SourceTable { name: "old_desk".to_owned(), with: vec!["old_chair".to_owned()], together: false };
        let step = UpgradeSection { after: Vec::new(), tables: vec![desk], from: None, before: None };
        let page: PageCase = serde_json::from_value(page).unwrap();
        page.page(&step).map_or_else(|reason| reason, |page| format!("{} {}", page.rows.len(), page.related.len()))
    }

    #[test]
    fn rows_the_step_is_never_given_are_refused() {
        let (desk, chair) = (json!([{ "table": "old_desk", "id": "1" }]), json!([{ "table": "old_chair", "id": "2" }]));
        for (page, expected) in [
            (json!({ "rows": desk, "related": chair }), "1 1"),
            (json!({ "rows": chair }), "the step is not given `2` of `old_chair`: its manifest names `old_desk`"),
            (
                json!({ "related": desk }),
                "`1` of `old_desk` is related to nothing: the manifest has no table `with` it",
            ),
        ] {
            assert_eq!(said(page), expected);
        }
    }
}
