//! The rows of an old environment, and the links between them.

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use crate::domain::row::{Link, LookUp};
use crate::domain::{Row, RowKey};

use super::super::Error;
use super::{Journal, Piece, corrupt, one};

/// Columns that are ignored as links: they point from nearly every row, and say nothing about which rows belong
/// together.
const SYSTEM_COLUMNS: &[&str] = &[
    "createdby",
    "createdonbehalfby",
    "modifiedby",
    "modifiedonbehalfby",
    "organizationid",
    "ownerid",
    "owningbusinessunit",
    "owningteam",
    "owninguser",
];

/// A link from one row to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// The column, or the name of the relationship.
    pub relation: String,
    /// The row with the link.
    pub from: RowKey,
    /// The target row; its table is empty if the source does not name it.
    pub to: RowKey,
}

/// The content of a row besides its key and links.
#[derive(Serialize, Deserialize)]
struct Content {
    values: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    look_ups: Vec<LookUp>,
}

impl Piece<'_> {
    /// Adds a row that was read, without its links. Returns false, and adds nothing, if a row with this key exists
    /// already.
    pub fn add_row(&self, row: &Row) -> Result<bool, Error> {
        let content = Content { values: row.values.clone(), look_ups: row.look_ups.clone() };
        let content = serde_json::to_string(&content).map_err(corrupt)?;
        let added = self
            .0
            .prepare_cached("INSERT INTO source_row (tab, id, content) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?
            .execute(params![row.key.table, row.key.id, content])?;
        if added == 0 {
            return Ok(false);
        }
        for look_up in row.look_ups.iter().filter(|it| !SYSTEM_COLUMNS.contains(&it.column.as_str())) {
            let to = RowKey::new(&look_up.table, &look_up.id);
            self.add_edge(&Edge { relation: look_up.column.clone(), from: row.key.clone(), to }, false)?;
        }
        Ok(true)
    }

    /// As [`Journal::row`], while a piece is written.
    pub fn row(&self, key: &RowKey) -> Result<Option<Row>, Error> {
        row(self.0, key)
    }

    /// Adds a link between two rows, whether they exist or not.
    pub fn add_link(&self, link: &Edge) -> Result<(), Error> {
        self.add_edge(link, true)
    }

    fn add_edge(&self, edge: &Edge, is_link: bool) -> Result<(), Error> {
        let Edge { relation, from, to } = edge;
        self.0
            .prepare_cached(
                "INSERT INTO edge (relation, tab, id, other_tab, other, is_link) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![relation, from.table, from.id, to.table, to.id, is_link])?;
        Ok(())
    }
}

impl Journal {
    /// Returns up to `limit` rows of some tables after the position `after` that have no outcome yet, in the order they
    /// were read, with their positions.
    pub fn open_rows(&self, tables: &[&str], after: u64, limit: usize) -> Result<Vec<(u64, RowKey)>, Error> {
        let mut find = self.connection.prepare_cached(
            "SELECT ordinal, id FROM source_row WHERE tab = ?1 AND rank = 0 AND ordinal > ?2 ORDER BY ordinal LIMIT ?3",
        )?;
        let mut found = Vec::new();
        for table in tables {
            let mut rows = find.query(params![table, after, limit])?;
            while let Some(row) = rows.next()? {
                found.push((row.get(0)?, RowKey::new(*table, row.get::<_, String>(1)?)));
            }
        }
        found.sort();
        found.truncate(limit);
        Ok(found)
    }

    /// Returns the number of rows that were read, of some tables or of all.
    pub fn count(&self, tables: Option<&[&str]>) -> Result<u64, Error> {
        let Some(tables) = tables else {
            return Ok(self.connection.query_row("SELECT count(*) FROM source_row", [], |row| row.get(0))?);
        };
        let mut find = self.connection.prepare_cached("SELECT count(*) FROM source_row WHERE tab = ?1")?;
        tables.iter().try_fold(0, |sum, table| Ok(sum + find.query_row([table], |row| row.get::<_, u64>(0))?))
    }

    /// Returns the whole row, with its links; `None` if it was not read.
    pub fn row(&self, key: &RowKey) -> Result<Option<Row>, Error> {
        row(&self.connection, key)
    }

    /// Returns the rows of `tables` that point to a row or are pointed to by it, each once and sorted.
    pub fn around(&self, key: &RowKey, tables: &[String]) -> Result<Vec<RowKey>, Error> {
        let mut found = Vec::new();
        let mut find = self.connection.prepare_cached(
            "SELECT other_tab, other FROM edge WHERE id = ?2 AND tab IN (?1, '')
             UNION SELECT tab, id FROM edge WHERE other = ?2 AND other_tab IN (?1, '')",
        )?;
        let mut rows = find.query(params![key.table, key.id])?;
        while let Some(row) = rows.next()? {
            let (table, id) = (row.get::<_, String>(0)?, row.get::<_, String>(1)?);
            for wanted in tables.iter().filter(|wanted| table.is_empty() || **wanted == table) {
                let sql = "SELECT 1 FROM source_row WHERE tab = ?1 AND id = ?2";
                if one(&self.connection, sql, params![wanted, id], |_| Ok(()))?.is_some() {
                    found.push(RowKey::new(wanted, &id));
                }
            }
        }
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// Returns links with an end that was not read, in the order they were read.
    pub fn loose_links(&self) -> Result<Vec<Edge>, Error> {
        const IS_THERE: &str = "EXISTS (SELECT 1 FROM source_row WHERE source_row.id =";
        let mut find = self.connection.prepare(&format!(
            "SELECT relation, tab, id, other_tab, other FROM edge
              WHERE is_link = 1 AND NOT ({IS_THERE} edge.id) AND {IS_THERE} edge.other)) ORDER BY ordinal"
        ))?;
        let read = |row: &rusqlite::Row<'_>| {
            let key = |table, id| Ok::<_, rusqlite::Error>(RowKey { table: row.get(table)?, id: row.get(id)? });
            Ok(Edge { relation: row.get(0)?, from: key(1, 2)?, to: key(3, 4)? })
        };
        Ok(find.query_map([], read)?.collect::<Result<_, _>>()?)
    }

    /// Returns the number of links that were read.
    pub fn count_links(&self) -> Result<u64, Error> {
        Ok(self.connection.query_row("SELECT count(*) FROM edge WHERE is_link = 1", [], |row| row.get(0))?)
    }
}

fn row(connection: &Connection, key: &RowKey) -> Result<Option<Row>, Error> {
    let sql = "SELECT content FROM source_row WHERE tab = ?1 AND id = ?2";
    let content = one(connection, sql, params![key.table, key.id], |row| row.get::<_, String>(0))?;
    let Some(content) = content else { return Ok(None) };
    let Content { values, look_ups } = serde_json::from_str(&content).map_err(corrupt)?;
    Ok(Some(Row { key: key.clone(), values, look_ups, links: links(connection, key)? }))
}

fn links(connection: &Connection, key: &RowKey) -> Result<Vec<Link>, Error> {
    let mut find = connection.prepare_cached(
        "SELECT relation, other_tab, other FROM edge WHERE id = ?2 AND tab IN (?1, '') AND is_link = 1
         UNION SELECT relation, tab, id FROM edge WHERE other = ?2 AND other_tab IN (?1, '') AND is_link = 1",
    )?;
    let read = |row: &rusqlite::Row<'_>| Ok(Link { relationship: row.get(0)?, table: row.get(1)?, id: row.get(2)? });
    Ok(find.query_map(params![key.table, key.id], read)?.collect::<Result<_, _>>()?)
}
