//! The answer of an upgrade step: proposed items, quarantined rows, and notes.

use serde_json::Value;

use super::{Row, RowReference};

/// The answer of a step to a page: proposed items, quarantined rows, and notes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Migration {
    /// The proposed items.
    pub upserts: Vec<Upsert>,
    /// Rows that cannot be used. They are kept, and reported.
    pub quarantine: Vec<Quarantined>,
    /// What an administrator should know.
    pub notes: Vec<Note>,
}

/// A proposed item, to be made or changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Upsert {
    /// The collection, such as `session-templates`.
    pub kind: String,
    /// The old name of the item. The host turns a name that does not suit the target into one that does.
    pub unique_name: String,
    /// What else references may call the item; its old name and the ids of its sources always do.
    pub aliases: Vec<String>,
    /// Whether `attributes` are merged into what is there instead of replacing it.
    pub merges: bool,
    /// A JSON object, in the form the HTTP API takes. References may use old names and ids.
    pub attributes: Value,
    /// The rows it was made from; the first is the one it stands for.
    pub sources: Vec<RowReference>,
}

/// A row that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// The row.
    pub row: RowReference,
    /// A stable code in lower case with hyphens.
    pub code: String,
    /// One sentence that says what would make the row usable.
    pub reason: String,
}

/// Why a row cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    /// A stable code in lower case with hyphens.
    pub code: String,
    /// One sentence that says what would make the row usable.
    pub reason: String,
}

/// What an administrator should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// A stable code in lower case with hyphens.
    pub code: String,
    /// The row it is about.
    pub row: Option<RowReference>,
    /// One sentence.
    pub message: String,
}

impl Migration {
    /// Proposes what `row` became, or quarantines it.
    ///
    /// ```
    /// # use loadout_sdk::upgrade::{Migration, Row, Unusable};
    /// let mut migration = Migration::default();
    /// migration.add(&Row::default(), Err(Unusable::new("no-desk", "name its desk")));
    /// assert_eq!(migration.quarantine[0].code, "no-desk");
    /// ```
    pub fn add(&mut self, row: &Row, became: Result<Upsert, Unusable>) {
        match became {
            Ok(upsert) => self.upserts.push(upsert),
            Err(why) => self.quarantine(row, why),
        }
    }

    /// Quarantines a row that cannot be used.
    ///
    /// ```
    /// # use loadout_sdk::upgrade::{Migration, Row, Unusable};
    /// let mut migration = Migration::default();
    /// migration.quarantine(&Row::default(), Unusable::new("no-desk", "name its desk"));
    /// assert_eq!(migration.quarantine[0].reason, "name its desk");
    /// ```
    pub fn quarantine(&mut self, row: &Row, why: Unusable) {
        self.quarantine.push(Quarantined { row: row.reference(), code: why.code, reason: why.reason });
    }

    /// Adds a note about a row.
    ///
    /// ```
    /// # use loadout_sdk::upgrade::{Migration, Row};
    /// let mut migration = Migration::default();
    /// migration.note(&Row::default(), "no-floor", "it has no floor");
    /// assert_eq!(migration.notes[0].message, "it has no floor");
    /// ```
    pub fn note(&mut self, row: &Row, code: &str, message: impl Into<String>) {
        self.notes.push(Note { code: code.to_owned(), row: Some(row.reference()), message: message.into() });
    }
}

impl Upsert {
    /// Proposes an item with exactly these `attributes`.
    ///
    /// ```
    /// # use loadout_sdk::upgrade::Upsert;
    /// assert!(!Upsert::item("queues", "Night desk", serde_json::json!({ "name": "Night desk" })).merges);
    /// ```
    pub fn item(kind: &str, unique_name: &str, attributes: Value) -> Self {
        let (kind, unique_name) = (kind.to_owned(), unique_name.to_owned());
        Self { kind, unique_name, aliases: Vec::new(), merges: false, attributes, sources: Vec::new() }
    }

    /// Proposes a change of an item that exists, with `attributes` merged into it (a JSON merge patch).
    ///
    /// ```
    /// # use loadout_sdk::upgrade::Upsert;
    /// assert!(Upsert::patch("profiles", "rep", serde_json::json!({ "description": "Desk" })).merges);
    /// ```
    pub fn patch(kind: &str, unique_name: &str, attributes: Value) -> Self {
        Self { merges: true, ..Self::item(kind, unique_name, attributes) }
    }

    /// Adds a row the item was made from.
    ///
    /// ```
    /// # use loadout_sdk::testing::page;
    /// # use loadout_sdk::upgrade::Upsert;
    /// let page = page(serde_json::json!({ "rows": [{ "table": "old_desk", "id": "1" }] }));
    /// let row = &page.rows[0];
    /// let upsert = Upsert::item("queues", "Night desk", serde_json::json!({})).from(row);
    /// assert_eq!(upsert.sources, [row.reference()]);
    /// ```
    #[must_use]
    pub fn from(mut self, row: &Row) -> Self {
        self.sources.push(row.reference());
        self
    }

    /// Adds rows the item was made from.
    ///
    /// ```
    /// # use loadout_sdk::upgrade::{Row, Upsert};
    /// let rows = [Row::default(), Row::default()];
    /// assert_eq!(Upsert::item("queues", "Night desk", serde_json::json!({})).from_all(&rows).sources.len(), 2);
    /// ```
    #[must_use]
    pub fn from_all<'a>(mut self, rows: impl IntoIterator<Item = &'a Row>) -> Self {
        self.sources.extend(rows.into_iter().map(Row::reference));
        self
    }

    /// Adds another name by which references may call the item.
    ///
    /// ```
    /// # use loadout_sdk::upgrade::Upsert;
    /// assert_eq!(Upsert::item("queues", "Night desk", serde_json::json!({})).alias("desk 1").aliases, ["desk 1"]);
    /// ```
    #[must_use]
    pub fn alias(mut self, alias: impl Into<String>) -> Self {
        self.aliases.push(alias.into());
        self
    }
}

impl Unusable {
    /// Makes a reason with its code.
    ///
    /// ```
    /// assert_eq!(loadout_sdk::upgrade::Unusable::new("no-desk", "name its desk").code, "no-desk");
    /// ```
    pub fn new(code: &str, reason: impl Into<String>) -> Self {
        Self { code: code.to_owned(), reason: reason.into() }
    }
}
