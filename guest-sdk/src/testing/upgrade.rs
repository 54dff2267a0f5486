//! Tests of upgrade steps: pages as JSON, and cases as data.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::cases::{Scene, check};
use super::{Facts, Fixture, Items};
use crate::upgrade::{Link, LookUp, Migration, Page, Row, RowReference, UpgradeStep};
use crate::{Fault, Library};

impl Fixture {
    /// Lets a step migrate a page over the fixture's library.
    ///
    /// The page is an object with `rows` and `related`; a row has `table`, `id`, `values` by column, `lookUps` and
    /// `links`. It is enough if one of two rows names the other.
    ///
    /// # Panics
    ///
    /// If `page` is no page.
    pub fn migrate<S: UpgradeStep>(&self, page: Value) -> Result<Migration, Fault> {
        S::migrate(&read(page), &Library::new(self))
    }
}

/// A page as [`Fixture::migrate`] reads it.
///
/// ```
/// let page = loadout_sdk::testing::page(serde_json::json!({ "rows": [{ "table": "old_desk", "id": "1" }] }));
/// assert_eq!(page.rows[0].reference().id, "1");
/// ```
///
/// # Panics
///
/// If `page` is no page.
pub fn page(page: Value) -> Page {
    read(page)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct Rows {
    rows: Vec<WrittenRow>,
    related: Vec<WrittenRow>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenRow {
    table: String,
    id: String,
    #[serde(default)]
    values: BTreeMap<String, String>,
    #[serde(default)]
    look_ups: Vec<WrittenLookUp>,
    #[serde(default)]
    links: Vec<WrittenLink>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenLookUp {
    column: String,
    #[serde(default)]
    table: String,
    id: String,
    #[serde(default)]
    label: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenLink {
    #[serde(default)]
    relationship: String,
    #[serde(default)]
    table: String,
    id: String,
}

fn read(page: Value) -> Page {
    let rows: Rows = serde_json::from_value(page).unwrap_or_else(|error| panic!("this is no page: {error}"));
    let all = |rows: Vec<WrittenRow>| rows.into_iter().map(Row::from).collect();
    Page { rows: all(rows.rows), related: all(rows.related) }
}

impl From<WrittenRow> for Row {
    fn from(row: WrittenRow) -> Self {
        let look_ups = row.look_ups.into_iter();
        let links = row.links.into_iter();
        Self {
            table: row.table,
            id: row.id,
            values: row.values.into_iter().collect(),
            look_ups: look_ups
                .map(|it| LookUp { column: it.column, table: it.table, id: it.id, label: it.label })
                .collect(),
            links: links.map(|it| Link { relationship: it.relationship, table: it.table, id: it.id }).collect(),
            ..Self::default()
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    library: Items,
    page: Value,
    /// `{"upserts": […], "quarantine": […], "notes": […]}`, each left out if there is none; or `{"fault": code}`.
    expect: Value,
}

/// Runs every case of every `.yaml`, `.yml` and `.json` file of a folder: a page, and what a step makes of it.
///
/// # Panics
///
/// If a case has another outcome than it expects, a file cannot be read as cases, or there are none.
pub fn check_upgrade_cases<S: UpgradeStep>(folder: impl AsRef<Path>) {
    check(folder.as_ref(), |Case { name, library, page, expect }| {
        let ask = |fixture: &Fixture| fixture.migrate::<S>(page).map(shown);
        (Scene { name, session: Facts::default(), library, expect }, ask)
    });
}

/// A migration as a case would expect it.
fn shown(migration: Migration) -> Value {
    let row = |row: &RowReference| format!("{}/{}", row.table, row.id);
    let mut shown = Map::new();
    let mut add = |key: &str, values: Vec<Value>| {
        if !values.is_empty() {
            shown.insert(key.to_owned(), Value::Array(values));
        }
    };
    let upserts = migration.upserts.iter().map(|it| {
        let mut upsert = json!({ "kind": it.kind, "name": it.unique_name });
        upsert[if it.merges { "patch" } else { "item" }] = it.attributes.clone();
        upsert["sources"] = it.sources.iter().map(row).collect();
        if !it.aliases.is_empty() {
            upsert["aliases"] = it.aliases.clone().into();
        }
        upsert
    });
    add("upserts", upserts.collect());
    let quarantine = migration.quarantine.iter();
    add("quarantine", quarantine.map(|it| json!(format!("{}: {}: {}", row(&it.row), it.code, it.reason))).collect());
    let notes = migration.notes.iter().map(|it| {
        let place = it.row.as_ref().map_or_else(String::new, row);
        json!(format!("{place}: {}: {}", it.code, it.message))
    });
    add("notes", notes.collect());
    Value::Object(shown)
}
