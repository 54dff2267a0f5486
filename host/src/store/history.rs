//! Reads the history: what every revision changed.

use rusqlite::{Connection, params};

use crate::domain::revision::{ChangeRecord, RevisionRecord};
use crate::domain::{AnyItem, Kind, Revision};

use super::{Error, Store, rows};

impl Store {
    /// Returns up to `limit` revisions before `before` (or from the newest on), newest first, with their changes.
    pub fn revisions(&self, before: Option<Revision>, limit: usize) -> Result<Vec<RevisionRecord>, Error> {
        let mut records = Vec::new();
        self.visit_revisions(before, limit, |record| {
            records.push(record);
            true
        })?;
        Ok(records)
    }

    /// Passes up to `limit` revisions before `before` (or from the newest on), newest first, to `visit`, until that
    /// returns false. Holds one at a time.
    pub fn visit_revisions(
        &self,
        before: Option<Revision>,
        limit: usize,
        mut visit: impl FnMut(RevisionRecord) -> bool,
    ) -> Result<(), Error> {
        self.read(|connection| {
            let before = before.map_or(i64::MAX, |revision| i64::try_from(revision.0).unwrap_or(i64::MAX));
            let mut find = connection
                .prepare_cached("SELECT id, at, who, why FROM revision WHERE id < ?1 ORDER BY id DESC LIMIT ?2")?;
            let mut rows = find.query(params![before, limit])?;
            while let Some(row) = rows.next()? {
                let revision = Revision(row.get(0)?);
                let at = rows::timestamp(&row.get::<_, String>(1)?)?;
                let changes = changes(connection, revision)?;
                if !visit(RevisionRecord { revision, at, who: row.get(2)?, why: row.get(3)?, changes, left_out: 0 }) {
                    break;
                }
            }
            Ok(())
        })
    }

    /// Returns an item as it was before `revision`, with the revision that wrote it. `None` if it did not exist then.
    pub fn item_before(
        &self,
        kind: Kind,
        name: &str,
        revision: Revision,
    ) -> Result<Option<(Revision, AnyItem)>, Error> {
        self.read(|connection| {
            let mut find = connection.prepare_cached(
                "SELECT since, body FROM item WHERE kind = ?1 AND name = ?2 AND since < ?3 AND (until IS NULL OR until >= ?3) ORDER BY since DESC LIMIT 1",
            )?;
            let mut rows = find.query(params![kind.collection(), name, revision.0])?;
            let Some(row) = rows.next()? else { return Ok(None) };
            let body = serde_json::from_str(&row.get::<_, String>(1)?).map_err(rows::corrupt)?;
            let item = AnyItem::parse(kind, name, body).map_err(rows::corrupt)?;
            Ok(Some((Revision(row.get(0)?), item)))
        })
    }

    /// Returns the changes of one revision, by collection and name.
    pub fn changes_of(&self, revision: Revision) -> Result<Vec<ChangeRecord>, Error> {
        self.read(|connection| changes(connection, revision))
    }
}

/// Returns the changes of `revision` that are written so far.
pub(super) fn changes(connection: &Connection, revision: Revision) -> Result<Vec<ChangeRecord>, Error> {
    // Each side of the union finds its rows by index: those that ended at the revision, and those that began.
    let mut find = connection.prepare_cached(
        "SELECT kind, name, max(CASE WHEN until = ?1 THEN body END), max(CASE WHEN since = ?1 THEN body END) FROM (
             SELECT kind, name, since, until, body FROM item WHERE since = ?1
             UNION ALL SELECT kind, name, since, until, body FROM item WHERE until = ?1
             UNION ALL SELECT ?2, profile || '/' || login, since, until, '{}' FROM assignment WHERE since = ?1
             UNION ALL SELECT ?2, profile || '/' || login, since, until, '{}' FROM assignment WHERE until = ?1
         ) GROUP BY kind, name ORDER BY kind, name",
    )?;
    let mut found = find.query(params![revision.0, ChangeRecord::ASSIGNMENTS])?;
    let mut changes = Vec::new();
    let json = |body: Option<String>| body.map(|body| rows::item_json(&body)).transpose();
    while let Some(row) = found.next()? {
        changes.push(ChangeRecord {
            collection: row.get(0)?,
            name: row.get(1)?,
            before: json(row.get(2)?)?,
            after: json(row.get(3)?)?,
        });
    }
    Ok(changes)
}
