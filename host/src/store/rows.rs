//! Converts rows to items and back.

use std::sync::Arc;

use rusqlite::{Connection, params};
use serde_json::Value;

use crate::domain::secret_column::strip;
use crate::domain::{AnyItem, Item, Kind, Revision, User};

use super::people::copy;
use super::{Entry, Error, Layer, Snapshot};

/// Returns the number of the newest revision; 0 before the first.
pub(super) fn newest(connection: &Connection) -> Result<Revision, Error> {
    let mut find = connection.prepare_cached("SELECT coalesce(max(id), 0) FROM revision")?;
    Ok(Revision(find.query_row([], |row| row.get(0))?))
}

/// Returns the library at `revision`.
pub(super) fn load(connection: &Connection, revision: Revision) -> Result<Snapshot, Error> {
    load_over(connection, revision, &Snapshot::default())
}

/// Returns the library at `revision`. Items that are the same in `known` are shared with it and not read again.
pub(super) fn load_over(connection: &Connection, revision: Revision, known: &Snapshot) -> Result<Snapshot, Error> {
    // Two ranges of kinds, so that the query reads no row of a person.
    let mut find = connection.prepare_cached(
        "SELECT kind, name, since, layer, body FROM item
          WHERE kind < 'users' AND since <= ?1 AND (until IS NULL OR until > ?1)
         UNION ALL
         SELECT kind, name, since, layer, body FROM item
          WHERE kind > 'users' AND since <= ?1 AND (until IS NULL OR until > ?1)",
    )?;
    let mut rows = find.query([revision.0])?;
    let mut snapshot = Snapshot::default().at_revision(revision);
    while let Some(row) = rows.next()? {
        let name: Arc<str> = row.get::<_, String>(1)?.into();
        let kind: Kind = row.get::<_, String>(0)?.parse().map_err(corrupt)?;
        let since = Revision(row.get(2)?);
        if let Some(same) = known.shared(kind, &name).filter(|entry| entry.revision == since) {
            snapshot.share(name, same);
            continue;
        }
        let body = row.get::<_, String>(4)?;
        let item = AnyItem::parse(kind, &name, item_json(&body)?).map_err(corrupt)?;
        let layer = if row.get::<_, String>(3)? == OUT_OF_THE_BOX { Layer::OutOfTheBox } else { Layer::Custom };
        snapshot.insert(name, Entry::stored(item, since, layer, body.len()));
    }
    Ok(snapshot)
}

/// Returns the stored JSON form of an item, without columns with secrets, which older programs kept.
pub(super) fn item_json(body: &str) -> Result<Value, Error> {
    let mut json = serde_json::from_str(body).map_err(corrupt)?;
    strip(&mut json);
    Ok(json)
}

/// Ends the current row of an item at `revision`, if there is one.
pub(super) fn end(connection: &Connection, revision: Revision, kind: Kind, name: &str) -> Result<(), Error> {
    let at = params![revision.0, kind.collection(), name];
    connection.prepare_cached("DELETE FROM item WHERE kind = ?2 AND name = ?3 AND since = ?1")?.execute(at)?;
    connection
        .prepare_cached("UPDATE item SET until = ?1 WHERE kind = ?2 AND name = ?3 AND until IS NULL")?
        .execute(at)?;
    if kind == Kind::User { copy::remove(connection, name) } else { Ok(()) }
}

/// Writes the row of an item from `revision` on.
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
    User::from_any(item).map_or(Ok(()), |user| copy::add(connection, name, user))
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

/// Ends all direct assignments to a profile.
pub(super) fn unassign_all(connection: &Connection, revision: Revision, profile: &str) -> Result<(), Error> {
    let at = params![revision.0, profile];
    connection.prepare_cached("DELETE FROM assignment WHERE profile = ?2 AND since = ?1")?.execute(at)?;
    connection.prepare_cached("UPDATE assignment SET until = ?1 WHERE profile = ?2 AND until IS NULL")?.execute(at)?;
    Ok(())
}

/// Ends the direct assignments to `other` of all people of `profile`.
pub(super) fn unassign_shared(
    connection: &Connection,
    revision: Revision,
    profile: &str,
    other: &str,
) -> Result<(), Error> {
    let at = params![revision.0, profile, other];
    let shared = "profile = ?3 AND until IS NULL
        AND login IN (SELECT login FROM assignment WHERE profile = ?2 AND until IS NULL)";
    connection.prepare_cached(&format!("DELETE FROM assignment WHERE since = ?1 AND {shared}"))?.execute(at)?;
    connection.prepare_cached(&format!("UPDATE assignment SET until = ?1 WHERE {shared}"))?.execute(at)?;
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

/// Parses the time in a row.
pub(super) fn timestamp(text: &str) -> Result<jiff::Timestamp, Error> {
    text.parse().map_err(|error: jiff::Error| corrupt(error))
}

pub(super) fn corrupt(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Corrupt(error.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::domain::revision::Author;
    use crate::store::{Change, ChangeSet, Store};

    use super::*;

    #[test]
    fn what_did_not_change_since_is_shared_with_the_newest_snapshot() {
        let folder = tempfile::tempdir().unwrap();
        let queue = |name: &'static str, shown: &str| {
            Change::put(name, AnyItem::parse(Kind::Queue, name, json!({"name": shown})).unwrap())
        };
        let author = Author::new("ada", "a test");
        let store = Store::open(folder.path()).unwrap();
        let before = store.commit(ChangeSet::new([queue("desk", "Desk"), queue("door", "Door")]), &author).unwrap();
        store.commit(ChangeSet::new([queue("desk", "Front desk"), queue("lift", "Lift")]), &author).unwrap();
        let (newest, past) = (store.snapshot().unwrap(), store.past_snapshot(before.revision).unwrap());
        let is_same = |name| match (newest.shared(Kind::Queue, name), past.shared(Kind::Queue, name)) {
            (Some(now), Some(then)) => Some(Arc::ptr_eq(&now, &then)),
            _ => None,
        };
        assert_eq!(["door", "desk", "lift"].map(is_same), [Some(true), Some(false), None]);
        assert!(past.entry(Kind::Queue, "desk").unwrap().json().contains(r#""Desk""#));
        assert_eq!(past.revision(), before.revision);
        let again = store.past_snapshot(before.revision).unwrap();
        assert!(Arc::ptr_eq(&past, &again), "it was kept");
    }

    #[test]
    fn secrets_that_an_older_program_kept_are_in_no_snapshot_and_no_history_and_go_with_the_next_change() {
        const CANARY: &str = "not-for-anyone";
        let folder = tempfile::tempdir().unwrap();
        let queue = |name: &str| {
            let json = json!({"name": name, "source": {"attributes": {"old_colour": "red"}}});
            Change::put("desk", AnyItem::parse(Kind::Queue, "desk", json).unwrap())
        };
        let author = Author::new("ada", "a test");
        let store = Store::open(folder.path()).unwrap();
        store.commit(ChangeSet::new([queue("Desk")]), &author).unwrap();
        let planted = format!(r#"{{"msdyn_apikey":"{CANARY}","old_colour":"red"}}"#);
        let plant = "UPDATE item SET body = replace(body, '{\"old_colour\":\"red\"}', ?1) WHERE name = 'desk'";
        let count = |holds: &str| {
            let connection = Connection::open(folder.path().join(Store::FILE)).unwrap();
            let count = "SELECT count(*) FROM item WHERE until IS NULL AND instr(body, ?1) > 0";
            connection.query_row(count, [holds], |row| row.get::<_, u32>(0)).unwrap()
        };
        let connection = Connection::open(folder.path().join(Store::FILE)).unwrap();
        assert_eq!(connection.execute(plant, [planted]).unwrap(), 1);
        drop((store, connection));
        assert_eq!(count(CANARY), 1);

        let store = Store::open(folder.path()).unwrap();
        let snapshot = store.snapshot().unwrap();
        let json = snapshot.entry(Kind::Queue, "desk").unwrap().json().to_string();
        let history = format!("{:?}", store.revisions(None, 10).unwrap());
        for text in [&json, &history] {
            assert!(text.contains("old_colour") && !text.contains(CANARY), "{text}");
        }
        store.commit(ChangeSet::new([queue("Front desk")]), &author).unwrap();
        assert_eq!((count(CANARY), count("Front desk")), (0, 1));
        let history = format!("{:?}", store.revisions(None, 10).unwrap());
        assert!(!history.contains(CANARY), "{history}");
    }
}
