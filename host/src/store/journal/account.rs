//! What became of each row. Every row ends with exactly one outcome.

use std::collections::BTreeMap;

use rusqlite::params;
use serde::Serialize;

use crate::domain::RowKey;

use super::super::Error;
use super::{Journal, Piece};

/// What became of a row. Of several outcomes the greatest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = UpgradeOutcome)]
pub enum Outcome {
    /// No step reads its table, or none had a use for it. It is kept as it is.
    Kept,
    /// It cannot be used; the reason says what would make it usable. It is kept as it is.
    Quarantined,
    /// It became a part of an item that another row stands for.
    Merged,
    /// What it would become is so already.
    AlreadyThere,
    /// It became an item, or changed one.
    Migrated,
}

/// What is said of a row.
#[derive(Debug, Clone, Default)]
pub struct Account<'a> {
    /// The step that says it, as `publisher/name`.
    pub step: &'a str,
    /// The collection of the item it is in.
    pub kind: Option<&'a str>,
    /// The item it is in.
    pub name: Option<&'a str>,
    /// Why, for rows that are in none.
    pub reason: Option<&'a str>,
}

/// A row, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = UpgradeRow)]
pub struct Accounted {
    /// Its position among the rows that were read, from 1.
    pub ordinal: u64,
    /// The row.
    #[serde(flatten)]
    pub key: RowKey,
    /// What became of it; nothing while the run goes on.
    pub outcome: Option<Outcome>,
    /// The step that says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The collection of the item it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// The item it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Why it is in none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What an administrator should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize, utoipa::ToSchema)]
#[schema(as = UpgradeNote)]
pub struct Note {
    /// The step that says it; empty for the host.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub step: String,
    /// A stable code.
    pub code: String,
    /// Where: a row, or an item.
    #[serde(rename = "where")]
    pub place: String,
    /// One sentence.
    pub message: String,
}

/// How many rows of a table became what.
pub type Tally = BTreeMap<String, BTreeMap<Outcome, u64>>;

impl Outcome {
    const ALL: [Self; 5] = [Self::Kept, Self::Quarantined, Self::Merged, Self::AlreadyThere, Self::Migrated];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Quarantined => "quarantined",
            Self::Merged => "merged",
            Self::AlreadyThere => "already-there",
            Self::Migrated => "migrated",
        }
    }

    /// The outcome of this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text)
    }

    /// Above 0, which means that nothing has become of a row yet.
    fn rank(self) -> u8 {
        self as u8 + 1
    }
}

impl Piece<'_> {
    /// Says what became of a row, unless something greater did already.
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

    /// Says of every row of a table that nothing became of how it ends, and why.
    pub fn close_table(&self, table: &str, outcome: Outcome, reason: &str) -> Result<(), Error> {
        self.0.execute(
            "UPDATE source_row SET rank = ?2, outcome = ?3, reason = ?4 WHERE tab = ?1 AND rank = 0",
            params![table, outcome.rank(), outcome.as_str(), reason],
        )?;
        Ok(())
    }

    /// Adds something an administrator should know.
    pub fn note(&self, note: &Note) -> Result<(), Error> {
        self.0
            .prepare_cached("INSERT INTO note (step, code, place, message) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![note.step, note.code, note.place, note.message])?;
        Ok(())
    }
}

impl Journal {
    /// How many rows of each table became what.
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

    /// The tables that have rows nothing has become of yet.
    pub fn open_tables(&self) -> Result<Vec<String>, Error> {
        let mut find = self.connection.prepare("SELECT DISTINCT tab FROM source_row WHERE rank = 0 ORDER BY tab")?;
        Ok(find.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }

    /// Up to `limit` rows behind `after`, of one outcome or of all, in the order they were read.
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

    /// What an administrator should know, in the order it was said, at most `limit` of it.
    pub fn notes(&self, limit: usize) -> Result<Vec<Note>, Error> {
        let mut find =
            self.connection.prepare_cached("SELECT step, code, place, message FROM note ORDER BY ordinal LIMIT ?1")?;
        let read = |row: &rusqlite::Row<'_>| {
            Ok(Note { step: row.get(0)?, code: row.get(1)?, place: row.get(2)?, message: row.get(3)? })
        };
        Ok(find.query_map([limit], read)?.collect::<Result<_, _>>()?)
    }
}
