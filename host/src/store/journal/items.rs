//! Staged items: kept in the journal until they are written as one revision.

use std::sync::Arc;

use rusqlite::params;

use crate::domain::{AnyItem, Kind};

use super::super::Error;
use super::{Journal, Piece, one};

/// An item as it will be written.
#[derive(Debug, Clone)]
pub struct StagedItem {
    /// The name of the item.
    pub name: Arc<str>,
    /// The item.
    pub item: AnyItem,
    /// The step that made it, as `publisher/name`.
    pub step: String,
}

impl Piece<'_> {
    /// Stages an item, in place of an earlier state of it.
    pub fn stage(&self, staged: &StagedItem) -> Result<(), Error> {
        let StagedItem { name, item, step } = staged;
        self.0
            .prepare_cached(
                "INSERT INTO item (kind, name, body, step) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (kind, name) DO UPDATE SET body = ?3, step = ?4",
            )?
            .execute(params![item.kind().collection(), name, item.to_json().to_string(), step])?;
        Ok(())
    }

    /// Returns an item as it is staged so far.
    pub fn staged(&self, kind: Kind, name: &str) -> Result<Option<AnyItem>, Error> {
        let sql = "SELECT body FROM item WHERE kind = ?1 AND name = ?2";
        let body = one(self.0, sql, params![kind.collection(), name], |row| row.get::<_, String>(0))?;
        body.map(|body| parse(kind, name, &body)).transpose()
    }
}

impl Journal {
    /// Returns all staged items, by collection and name.
    pub fn staged(&self) -> Result<Vec<StagedItem>, Error> {
        let mut find = self.connection.prepare("SELECT kind, name, body, step FROM item ORDER BY kind, name")?;
        let mut rows = find.query([])?;
        let mut items = Vec::new();
        while let Some(row) = rows.next()? {
            let kind: Kind = row.get::<_, String>(0)?.parse().map_err(|error| Error::Corrupt(Box::new(error)))?;
            let name: Arc<str> = row.get::<_, String>(1)?.into();
            let item = parse(kind, &name, &row.get::<_, String>(2)?)?;
            items.push(StagedItem { name, item, step: row.get(3)? });
        }
        Ok(items)
    }
}

fn parse(kind: Kind, name: &str, body: &str) -> Result<AnyItem, Error> {
    let body = serde_json::from_str(body).map_err(super::corrupt)?;
    AnyItem::parse(kind, name, body).map_err(|error| Error::Corrupt(error.into()))
}
