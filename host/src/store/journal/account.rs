//! The outcomes of rows. Every row ends with exactly one.

use std::collections::BTreeMap;

use rusqlite::params;
use serde::Serialize;

use crate::domain::RowKey;

use super::super::Error;
use super::{Journal, Piece};

/// The outcome of a row. Of several outcomes the greatest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = UpgradeOutcome)]
pub enum Outcome {
    /// No step reads the row's table, or no step used the row. The row is kept as it is.
    Kept,
    /// The row cannot be used; the reason says what would make it usable. The row is kept as it is.
    Quarantined,
    /// The row became a part of an item that another row stands for.
    Merged,
    /// The item that the row would become is the same here already.
    AlreadyThere,
    /// The row became an item, or changed one.
    Migrated,
}

/// An account of a row.
#[derive(Debug, Clone, Default)]
pub struct Account<'a> {
    /// The step that gives the account, as `publisher/name`.
    pub step: &'a str,
    /// The collection of the item that the row became.
    pub kind: Option<&'a str>,
    /// The name of the item that the row became.
    pub name: Option<&'a str>,
    /// The reason, for a row that became no item.
    pub reason: Option<&'a str>,
}

/// A row and its outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = UpgradeRow)]
pub struct Accounted {
    /// The position of the row among the rows that were read, from 1.
    pub ordinal: u64,
    /// The table and the ID of the row.
    #[serde(flatten)]
    pub key: RowKey,
    /// The outcome of the row; absent while the run goes on.
    pub outcome: Option<Outcome>,
    /// The step that gave the outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The collection of the item that the row became.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// The name of the item that the row became.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Why the row became no item.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A note for administrators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize, utoipa::ToSchema)]
#[schema(as = UpgradeNote)]
pub struct Note {
    /// The step that wrote the note; empty for the host.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub step: String,
    /// The kind of the note, as a stable code.
    pub code: String,
    /// The row or the item that the note is about.
    #[serde(rename = "where")]
    pub place: String,
    /// The note, in one sentence.
    pub message: String,
}

/// The number of rows by table and outcome.
pub type Tally = BTreeMap<String, BTreeMap<Outcome, u64>>;

impl Outcome {
    const ALL: [Self; 5] = [Self::Kept, Self::Quarantined, Self::Merged, Self::AlreadyThere, Self::Migrated];

    /// Returns the name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Quarantined => "quarantined",
            Self::Merged => "merged",
            Self::AlreadyThere => "already-there",
            Self::Migrated => "migrated",
        }
    }

    /// Returns the outcome with this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text)
    }

    /// Returns the rank of an outcome, above 0. The rank 0 stands for a row without an outcome.
    fn rank(self) -> u8 {
        self as u8 + 1
    }
}

impl Piece<'_> {
    /// Sets the outcome of a row, unless a greater one is set already.
    pub fn account(&self, row: &RowKey, outcome: Outcome, account: &Account<'_>) -> Result<(), Error> {
        let Account { step, kind, name, reason } = account;
        self.0
            .prepare_cached(
                "UPDATE source_row SET rank = ?3, outcome = ?4, step = ?5, kind = ?6, name = ?7, reason = ?8
                  WHERE tab = ?1 AND id = ?2 AND rank < ?3",
            )?
            .execute(params![row.table, row.id, outcome.rank(), outcome.as_str(), step, kind, name, reason])?;
        Ok(())
    }

    /// Sets the outcome and the reason of every row of a table that has no outcome yet.
    pub fn close_table(&self, table: &str, outcome: Outcome, reason: &str) -> Result<(), Error> {
        self.0.execute(
            "UPDATE source_row SET rank = ?2, outcome = ?3, reason = ?4 WHERE tab = ?1 AND rank = 0",
            params![table, outcome.rank(), outcome.as_str(), reason],
        )?;
        Ok(())
    }

    /// Adds a note for administrators.
    pub fn note(&self, note: &Note) -> Result<(), Error> {
        self.0
            .prepare_cached("INSERT INTO note (step, code, place, message) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![note.step, note.code, note.place, note.message])?;
        Ok(())
    }
}

impl Journal {
    /// Returns the number of rows by table and outcome.
    pub fn tally(&self) -> Result<Tally, Error> {
        let mut find =
            self.connection.prepare("SELECT tab, outcome, count(*) FROM source_row GROUP BY tab, outcome")?;
        let mut rows = find.query([])?;
        let mut tally = Tally::new();
        while let Some(row) = rows.next()? {
            let of_table = tally.entry(row.get(0)?).or_default();
            if let Some(outcome) = row.get::<_, Option<String>>(1)?.as_deref().and_then(Outcome::parse) {
                of_table.insert(outcome, row.get(2)?);
            }
        }
        Ok(tally)
    }

    /// Returns the tables that have rows without an outcome.
    pub fn open_tables(&self) -> Result<Vec<String>, Error> {
        let mut find = self.connection.prepare("SELECT DISTINCT tab FROM source_row WHERE rank = 0 ORDER BY tab")?;
        Ok(find.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }

    /// Returns up to `limit` rows after the position `after`, of one outcome or of all, in the order they were read.
    pub fn accounted(&self, outcome: Option<Outcome>, after: u64, limit: usize) -> Result<Vec<Accounted>, Error> {
        let mut find = self.connection.prepare_cached(
            "SELECT ordinal, tab, id, outcome, step, kind, name, reason FROM source_row
              WHERE ordinal > ?1 AND (?2 IS NULL OR outcome = ?2) ORDER BY ordinal LIMIT ?3",
        )?;
        let read = |row: &rusqlite::Row<'_>| {
            Ok(Accounted {
                ordinal: row.get(0)?,
                key: RowKey { table: row.get(1)?, id: row.get(2)? },
                outcome: row.get::<_, Option<String>>(3)?.as_deref().and_then(Outcome::parse),
                step: row.get(4)?,
                collection: row.get(5)?,
                name: row.get(6)?,
                reason: row.get(7)?,
            })
        };
        let rows = find.query_map(params![after, outcome.map(Outcome::as_str), limit], read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Returns up to `limit` notes for administrators, in the order they were written.
    pub fn notes(&self, limit: usize) -> Result<Vec<Note>, Error> {
        let mut find =
            self.connection.prepare_cached("SELECT step, code, place, message FROM note ORDER BY ordinal LIMIT ?1")?;
        let read = |row: &rusqlite::Row<'_>| {
            Ok(Note { step: row.get(0)?, code: row.get(1)?, place: row.get(2)?, message: row.get(3)? })
        };
        Ok(find.query_map([limit], read)?.collect::<Result<_, _>>()?)
    }
}
