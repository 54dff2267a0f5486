//! Rows of an old environment, read column by column.
//!
//! Reading a column marks it as read, so that [`Row::source`] can keep the rest for the way back. Values are never
//! trimmed or cut: one that does not fit makes the row [`Unusable`], and the reason names it.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::str::FromStr;

use serde_json::{Map, Value, json};

use super::Unusable;

/// Columns with the users who changed a row, and when. They mean nothing in another environment.
const SYSTEM: &[&str] = &[
    "createdby",
    "createdon",
    "createdonbehalfby",
    "importsequencenumber",
    "modifiedby",
    "modifiedon",
    "modifiedonbehalfby",
    "organizationid",
    "overriddencreatedon",
    "ownerid",
    "owningbusinessunit",
    "owningteam",
    "owninguser",
    "timezoneruleversionnumber",
    "utcconversiontimezonecode",
    "versionnumber",
];

/// One row of the old environment.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// The table, such as `msdyn_sessiontemplate`.
    pub table: String,
    /// A GUID in lower case without braces, or a unique name.
    pub id: String,
    /// Column and text, as the table writes it. Columns without a value are left out.
    pub values: Vec<(String, String)>,
    /// The rows it names in its columns.
    pub look_ups: Vec<LookUp>,
    /// The rows it is linked to, many to many, from either end.
    pub links: Vec<Link>,
    pub(crate) read: RefCell<BTreeSet<String>>,
}

/// A row named by a column of another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LookUp {
    /// The column.
    pub column: String,
    /// The table of the row; empty if the source does not say.
    pub table: String,
    /// The row.
    pub id: String,
    /// The name of the row, as far as the source says.
    pub label: String,
}

/// One end of a link between two rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Link {
    /// The relationship, as the source spells it. Old exports cut long names.
    pub relationship: String,
    /// The table of the row at the other end; empty if the source does not say.
    pub table: String,
    /// The row at the other end.
    pub id: String,
}

/// Names one row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowReference {
    /// The table.
    pub table: String,
    /// The row.
    pub id: String,
}

impl Row {
    /// Returns the reference that names the row.
    ///
    /// ```
    /// # use loadout_sdk::testing::page;
    /// let page = page(serde_json::json!({ "rows": [{ "table": "old_desk", "id": "1" }] }));
    /// let row = &page.rows[0];
    /// assert_eq!(row.reference().table, "old_desk");
    /// ```
    pub fn reference(&self) -> RowReference {
        RowReference { table: self.table.clone(), id: self.id.clone() }
    }

    /// Returns the text of a column. None if it has no value.
    ///
    /// ```
    /// # use loadout_sdk::testing::page;
    /// let page = page(serde_json::json!({ "rows": [{ "table": "old_desk", "id": "1", "values": { "name": "Desk" } }] }));
    /// let row = &page.rows[0];
    /// assert_eq!((row.text("name"), row.text("floor")), (Some("Desk"), None));
    /// ```
    pub fn text(&self, column: &str) -> Option<&str> {
        self.read.borrow_mut().insert(column.to_owned());
        self.values.iter().find(|(name, _)| name == column).map(|(_, text)| text.as_str())
    }

    /// Returns a text of at most `max` characters; a longer one makes the row unusable.
    ///
    /// ```
    /// # use loadout_sdk::testing::page;
    /// let page = page(serde_json::json!({ "rows": [{ "table": "old_desk", "id": "1", "values": { "name": "Desk" } }] }));
    /// let row = &page.rows[0];
    /// assert_eq!(row.fitting("name", 4), Ok(Some("Desk")));
    /// assert_eq!(row.fitting("name", 3).unwrap_err().code, "value-too-long");
    /// ```
    pub fn fitting(&self, column: &str, max: usize) -> Result<Option<&str>, Unusable> {
        let Some(text) = self.text(column).filter(|text| !text.is_empty()) else { return Ok(None) };
        let length = text.chars().count();
        if length > max {
            let reason = format!("`{column}` has {length} characters, {max} are allowed: shorten it");
            return Err(Unusable::new("value-too-long", reason));
        }
        Ok(Some(text))
    }

    /// Returns the same as [`Row::fitting`]. A column without a value makes the row unusable.
    ///
    /// ```
    /// # use loadout_sdk::upgrade::Row;
    /// assert_eq!(Row::default().required("name", 100).unwrap_err().code, "value-missing");
    /// ```
    pub fn required(&self, column: &str, max: usize) -> Result<&str, Unusable> {
        let missing = || Unusable::new("value-missing", format!("`{column}` has no value, and it is required"));
        self.fitting(column, max)?.ok_or_else(missing)
    }

    /// Reads a switch: `True`, `1` or `false` in any case.
    ///
    /// ```
    /// # use loadout_sdk::testing::page;
    /// let page = page(serde_json::json!({ "rows": [{ "table": "old_desk", "id": "1", "values": { "open": "True" } }] }));
    /// let row = &page.rows[0];
    /// assert_eq!(row.switch("open"), Ok(Some(true)));
    /// ```
    pub fn switch(&self, column: &str) -> Result<Option<bool>, Unusable> {
        match self.text(column).map(str::trim) {
            None | Some("") => Ok(None),
            Some("1") => Ok(Some(true)),
            Some("0") => Ok(Some(false)),
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(text) => Err(Unusable::new("no-switch", format!("`{column}`: `{text}` is neither true nor false"))),
        }
    }

    /// Reads a number.
    ///
    /// ```
    /// # use loadout_sdk::testing::page;
    /// let page = page(serde_json::json!({ "rows": [{ "table": "old_desk", "id": "1", "values": { "floor": "3" } }] }));
    /// let row = &page.rows[0];
    /// assert_eq!(row.number::<u8>("floor"), Ok(Some(3)));
    /// ```
    pub fn number<N: FromStr>(&self, column: &str) -> Result<Option<N>, Unusable> {
        let Some(text) = self.text(column).map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
        let number = text.parse();
        number
            .map(Some)
            .map_err(|_| Unusable::new("no-number", format!("`{column}`: `{text}` is no number it can have")))
    }

    /// Reads one of a few codes, and returns its meaning in `choices`.
    ///
    /// ```
    /// # use loadout_sdk::testing::page;
    /// let page = page(serde_json::json!({ "rows": [{ "table": "old_desk", "id": "1", "values": { "kind": "2" } }] }));
    /// let row = &page.rows[0];
    /// assert_eq!(row.choice("kind", &[(1, "sitting"), (2, "standing")]), Ok(Some("standing")));
    /// ```
    pub fn choice<T: Clone>(&self, column: &str, choices: &[(i64, T)]) -> Result<Option<T>, Unusable> {
        let Some(code) = self.number::<i64>(column)? else { return Ok(None) };
        let meaning = choices.iter().find(|(known, _)| *known == code).map(|(_, meaning)| meaning.clone());
        let unknown = || Unusable::new("unknown-code", format!("`{column}`: `{code}` is not a code it can have"));
        meaning.map(Some).ok_or_else(unknown)
    }

    /// Returns the row that a column names.
    ///
    /// ```
    /// # use loadout_sdk::testing::page;
    /// let page = page(serde_json::json!({ "rows": [{ "table": "old_desk", "id": "1", "lookUps": [{ "column": "chair", "id": "2" }] }] }));
    /// let row = &page.rows[0];
    /// assert_eq!(row.look_up("chair").map(|it| it.id.as_str()), Some("2"));
    /// ```
    pub fn look_up(&self, column: &str) -> Option<&LookUp> {
        self.read.borrow_mut().insert(column.to_owned());
        self.look_ups.iter().find(|it| it.column == column)
    }

    /// Returns whether `statecode` says that the row is inactive.
    ///
    /// ```
    /// # use loadout_sdk::testing::page;
    /// let page = page(serde_json::json!({ "rows": [{ "table": "old_desk", "id": "1", "values": { "statecode": "1" } }] }));
    /// let row = &page.rows[0];
    /// assert!(row.is_inactive());
    /// ```
    pub fn is_inactive(&self) -> bool {
        self.text("statuscode");
        self.text("statecode").is_some_and(|code| code.trim() == "1")
    }

    /// Returns where the row came from, in the form of the attribute `source` of items: its GUID, and the columns that
    /// the step has not read. Leaves out which users changed the row, and when.
    ///
    /// ```
    /// # use loadout_sdk::testing::page;
    /// let page = page(serde_json::json!({ "rows": [{ "table": "old_desk", "id": "1", "values": { "floor": "3" } }] }));
    /// let row = &page.rows[0];
    /// assert_eq!(row.source(), serde_json::json!({ "attributes": { "floor": "3" } }));
    /// ```
    pub fn source(&self) -> Value {
        self.text(&format!("{}id", self.table));
        self.text("msdyn_uniquename");
        let managed = self.text("ismanaged").is_some_and(|text| text.trim().eq_ignore_ascii_case("true"));
        let read = self.read.borrow();
        let values = self.values.iter().map(|(column, text)| (column, text));
        let look_ups = self.look_ups.iter().map(|look_up| (&look_up.column, &look_up.id));
        let mut left: Vec<_> = values
            .chain(look_ups)
            .filter(|(column, _)| !read.contains(*column) && !SYSTEM.contains(&column.as_str()))
            .collect();
        left.sort();
        let left: Map<String, Value> =
            left.into_iter().map(|(column, text)| (column.clone(), Value::from(text.as_str()))).collect();
        let mut source = Map::new();
        if is_guid(&self.id) {
            source.insert("id".to_owned(), json!(self.id));
        }
        if managed {
            source.insert("managed".to_owned(), json!(true));
        }
        if !left.is_empty() {
            source.insert("attributes".to_owned(), Value::Object(left));
        }
        Value::Object(source)
    }

    pub(super) fn points_to(&self, other: &Row) -> bool {
        let is = |table: &str, id: &str| id == other.id && (table.is_empty() || table == other.table);
        self.look_ups.iter().any(|it| is(&it.table, &it.id)) || self.links.iter().any(|it| is(&it.table, &it.id))
    }
}

fn is_guid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(values: &[(&str, &str)]) -> Row {
        let values = values.iter().map(|(column, text)| ((*column).to_owned(), (*text).to_owned())).collect();
        Row { table: "old_desk".to_owned(), id: "1".to_owned(), values, ..Row::default() }
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let row = row(&[("a", "12345"), ("b", "maybe"), ("c", "seven"), ("d", "7")]);
        let reasons = [
            row.required("x", 9).unwrap_err(),
            row.required("a", 4).unwrap_err(),
            row.switch("b").unwrap_err(),
            row.number::<u32>("c").unwrap_err(),
            row.choice("d", &[(8, ())]).unwrap_err(),
        ];
        let reasons = reasons.map(|it| format!("{}: {}", it.code, it.reason));
        assert_eq!(
            reasons,
            [
                "value-missing: `x` has no value, and it is required",
                "value-too-long: `a` has 5 characters, 4 are allowed: shorten it",
                "no-switch: `b`: `maybe` is neither true nor false",
                "no-number: `c`: `seven` is no number it can have",
                "unknown-code: `d`: `7` is not a code it can have",
            ]
        );
    }

    #[test]
    fn switches_come_in_every_spelling() {
        for (text, expected) in [("True", Some(true)), ("false", Some(false)), ("1", Some(true)), ("", None)] {
            assert_eq!(row(&[("a", text)]).switch("a"), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_nobody_read_is_kept() {
        let mut row = row(&[("z", "1"), ("a", "2"), ("b", "3"), ("ismanaged", "True")]);
        row.id = "aec047f0-0dae-e911-a984-000d3a33efbc".to_owned();
        row.look_ups.push(LookUp { column: "l".to_owned(), id: "x".to_owned(), ..LookUp::default() });
        row.text("b");
        let expected = json!({ "id": row.id, "managed": true, "attributes": { "a": "2", "l": "x", "z": "1" } });
        assert_eq!(row.source(), expected);
    }
}
