//! The proposals of steps, until they become items.

use rusqlite::params;

use crate::domain::RowKey;

use super::super::Error;
use super::{Journal, Piece, corrupt, one};

/// A proposal of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The position among all proposals, from 1; set by the journal.
    pub ordinal: u64,
    /// The collection of the item.
    pub kind: String,
    /// The name that the step proposed.
    pub proposed: String,
    /// Further names by which references may call the item.
    pub aliases: Vec<String>,
    /// Whether the attributes are merged into an existing item.
    pub merges: bool,
    /// The attributes, as a JSON object.
    pub attributes: String,
    /// The rows the item was made from. The first is the one it stands for.
    pub sources: Vec<RowKey>,
    /// The name of the item here, once it is settled.
    pub name: Option<String>,
}

impl Piece<'_> {
    /// Adds a proposal of a step.
    pub fn propose(&self, step: usize, proposal: &Proposal) -> Result<(), Error> {
        let Proposal { kind, proposed, aliases, merges, attributes, sources, .. } = proposal;
        let aliases = serde_json::to_string(aliases).map_err(corrupt)?;
        let sources = serde_json::to_string(sources).map_err(corrupt)?;
        self.0
            .prepare_cached(
                "INSERT INTO proposal (step, kind, proposed, aliases, merges, attributes, sources)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![step, kind, proposed, aliases, merges, attributes, sources])?;
        Ok(())
    }

    /// Settles the name of the item of a proposal, and the names by which references may call it.
    pub fn name_proposal(&self, proposal: &Proposal, name: &str) -> Result<(), Error> {
        let set = "UPDATE proposal SET name = ?2 WHERE ordinal = ?1";
        self.0.prepare_cached(set)?.execute(params![proposal.ordinal, name])?;
        let own = proposal.sources.first().map(|row| row.id.as_str());
        let aliases = proposal.aliases.iter().map(String::as_str);
        let mut add = self
            .0
            .prepare_cached("INSERT INTO alias (kind, alias, name) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?;
        for alias in aliases.chain([proposal.proposed.as_str()]).chain(own) {
            add.execute(params![proposal.kind, alias, name])?;
        }
        Ok(())
    }

    /// Removes the names by which references may call an item. Returns how many there were.
    pub fn forget_name(&self, kind: &str, name: &str) -> Result<usize, Error> {
        let forget = "DELETE FROM alias WHERE kind = ?1 AND name = ?2";
        Ok(self.0.prepare_cached(forget)?.execute(params![kind, name])?)
    }

    /// Returns the proposal that another row made for an item with this name, if it is not a merge.
    pub fn taken_by(&self, kind: &str, name: &str) -> Result<Option<u64>, Error> {
        let sql = "SELECT ordinal FROM proposal WHERE kind = ?1 AND name = ?2 AND merges = 0";
        one(self.0, sql, params![kind, name], |row| row.get(0))
    }

    /// As [`Journal::called`], while a piece is written.
    pub fn called(&self, kind: &str, alias: &str) -> Result<Vec<String>, Error> {
        called(self.0, kind, alias)
    }
}

impl Journal {
    /// Returns up to `limit` proposals of a step after the position `after`, in the order they were made.
    pub fn proposals(&self, step: usize, after: u64, limit: usize) -> Result<Vec<Proposal>, Error> {
        proposals(&self.connection, step, after, limit)
    }

    /// Returns the items of a kind that references may call `alias`, sorted.
    pub fn called(&self, kind: &str, alias: &str) -> Result<Vec<String>, Error> {
        called(&self.connection, kind, alias)
    }
}

impl Piece<'_> {
    /// As [`Journal::proposals`], while a piece is written.
    pub fn proposals(&self, step: usize, after: u64, limit: usize) -> Result<Vec<Proposal>, Error> {
        proposals(self.0, step, after, limit)
    }
}

fn proposals(connection: &rusqlite::Connection, step: usize, after: u64, limit: usize) -> Result<Vec<Proposal>, Error> {
    let mut find = connection.prepare_cached(
        "SELECT ordinal, kind, proposed, aliases, merges, attributes, sources, name FROM proposal
          WHERE step = ?1 AND ordinal > ?2 ORDER BY ordinal LIMIT ?3",
    )?;
    let mut rows = find.query(params![step, after, limit])?;
    let mut proposals = Vec::new();
    while let Some(row) = rows.next()? {
        proposals.push(Proposal {
            ordinal: row.get(0)?,
            kind: row.get(1)?,
            proposed: row.get(2)?,
            aliases: serde_json::from_str(&row.get::<_, String>(3)?).map_err(corrupt)?,
            merges: row.get(4)?,
            attributes: row.get(5)?,
            sources: serde_json::from_str(&row.get::<_, String>(6)?).map_err(corrupt)?,
            name: row.get(7)?,
        });
    }
    Ok(proposals)
}

fn called(connection: &rusqlite::Connection, kind: &str, alias: &str) -> Result<Vec<String>, Error> {
    let mut find = connection.prepare_cached("SELECT name FROM alias WHERE kind = ?1 AND alias = ?2 ORDER BY name")?;
    Ok(find.query_map([kind, alias], |row| row.get(0))?.collect::<Result<_, _>>()?)
}
