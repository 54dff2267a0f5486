//! Rows to items and back.

use std::sync::Arc;

use rusqlite::{Connection, params};

use crate::domain::{AnyItem, Kind, Revision};

use super::{Entry, Error, Layer, Snapshot};

/// The number of the newest revision; 0 before the first.
pub(super) fn newest(connection: &Connection) -> Result<Revision, Error> {
    let mut find = connection.prepare_cached("SELECT coalesce(max(id), 0) FROM revision")?;
    Ok(Revision(find.query_row([], |row| row.get(0))?))
}

/// The library at `revision`.
pub(super) fn load(connection: &Connection, revision: Revision) -> Result<Snapshot, Error> {
    let mut find = connection.prepare_cached(
        "SELECT kind, name, since, layer, body FROM item
          WHERE kind <> 'users' AND since <= ?1 AND (until IS NULL OR until > ?1)",
    )?;
    let mut rows = find.query([revision.0])?;
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        let name: Arc<str> = row.get::<_, String>(1)?.into();
        let kind: Kind = row.get::<_, String>(0)?.parse().map_err(corrupt)?;
        let body = serde_json::from_str(&row.get::<_, String>(4)?).map_err(corrupt)?;
        let item = AnyItem::parse(kind, &name, body).map_err(corrupt)?;
        let layer = if row.get::<_, String>(3)? == OUT_OF_THE_BOX { Layer::OutOfTheBox } else { Layer::Custom };
        items.push((name, Entry::new(item, Revision(row.get(2)?), layer)));
    }
    Ok(Snapshot::new(revision, items))
}

/// Ends the row of an item that holds at `revision`, if there is one.
pub(super) fn end(connection: &Connection, revision: Revision, kind: Kind, name: &str) -> Result<(), Error> {
    let at = params![revision.0, kind.collection(), name];
    connection.prepare_cached("DELETE FROM item WHERE kind = ?2 AND name = ?3 AND since = ?1")?.execute(at)?;
    connection
        .prepare_cached("UPDATE item SET until = ?1 WHERE kind = ?2 AND name = ?3 AND until IS NULL")?
        .execute(at)?;
    Ok(())
}

/// Writes an item that holds from `revision` on.
pub(super) fn begin(
    connection: &Connection,
    revision: Revision,
    name: &str,
    layer: Layer,
    item: &AnyItem,
) -> Result<(), Error> {
    end(connection, revision, item.kind(), name)?;
    let layer = if layer == Layer::OutOfTheBox { OUT_OF_THE_BOX } else { "custom" };
    connection
        .prepare_cached("INSERT INTO item (kind, name, since, layer, body) VALUES (?2, ?3, ?1, ?4, ?5)")?
        .execute(params![revision.0, item.kind().collection(), name, layer, item.to_json().to_string()])?;
    Ok(())
}

/// Ends a direct assignment.
pub(super) fn unassign(connection: &Connection, revision: Revision, login: &str, profile: &str) -> Result<(), Error> {
    let at = params![revision.0, login, profile];
    connection
        .prepare_cached("DELETE FROM assignment WHERE login = ?2 AND profile = ?3 AND since = ?1")?
        .execute(at)?;
    connection
        .prepare_cached("UPDATE assignment SET until = ?1 WHERE login = ?2 AND profile = ?3 AND until IS NULL")?
        .execute(at)?;
    Ok(())
}

/// Ends every direct assignment to a profile.
pub(super) fn unassign_all(connection: &Connection, revision: Revision, profile: &str) -> Result<(), Error> {
    let at = params![revision.0, profile];
    connection.prepare_cached("DELETE FROM assignment WHERE profile = ?2 AND since = ?1")?.execute(at)?;
    connection.prepare_cached("UPDATE assignment SET until = ?1 WHERE profile = ?2 AND until IS NULL")?.execute(at)?;
    Ok(())
}

/// Begins a direct assignment.
pub(super) fn assign(connection: &Connection, revision: Revision, login: &str, profile: &str) -> Result<(), Error> {
    connection
        .prepare_cached("INSERT INTO assignment (login, profile, since) VALUES (?2, ?3, ?1)")?
        .execute(params![revision.0, login, profile])?;
    Ok(())
}

const OUT_OF_THE_BOX: &str = "out-of-the-box";

/// The time that a row says.
pub(super) fn timestamp(text: &str) -> Result<jiff::Timestamp, Error> {
    text.parse().map_err(|error: jiff::Error| corrupt(error))
}

pub(super) fn corrupt(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Corrupt(error.into())
}
