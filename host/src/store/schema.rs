//! The schema of the database, as a list of migrations.
//!
//! Refuses a database that is newer than this program, and one of another program. An older database is copied before
//! it is migrated.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::{Error, backup};

/// Marks the file as ours, in SQLite's `application_id`.
pub(super) const APPLICATION_ID: i32 = 0x4c6f_6164; // "Load"

/// The migrations, oldest first. A database's `user_version` is the number of migrations it has been through.
const MIGRATIONS: &[(&str, &str)] = &[
    ("0001-revisions", include_str!("migrations/0001-revisions.sql")),
    ("0002-upgrades", include_str!("migrations/0002-upgrades.sql")),
    ("0003-access", include_str!("migrations/0003-access.sql")),
    ("0004-plugins", include_str!("migrations/0004-plugins.sql")),
    ("0005-holders", include_str!("migrations/0005-holders.sql")),
    ("0006-component-kinds", include_str!("migrations/0006-component-kinds.sql")),
    ("0007-manifests", include_str!("migrations/0007-manifests.sql")),
    ("0008-outbox-turns", include_str!("migrations/0008-outbox-turns.sql")),
    ("0009-people", include_str!("migrations/0009-people.sql")),
];

/// Sets up a connection. Every acknowledged write survives a power cut: a transaction is on disk when it ends, which
/// costs one sync of the disk each.
pub(super) fn configure(connection: &Connection) -> Result<(), Error> {
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // Systems whose `fsync` stops at the disk's own cache have another call for it; all others ignore this.
    connection.pragma_update(None, "fullfsync", true)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// Migrates a database to the newest schema version, all migrations or none. Leaves a copy of the old database beside
/// `file`.
pub(super) fn migrate(connection: &mut Connection, file: Option<&Path>) -> Result<(), Error> {
    // Refuses a foreign database before anything in it is changed.
    shape(connection)?;
    // If another process is making the database, this waits for it, up to the busy time-out.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    let done = shape(connection)?;
    if done == MIGRATIONS.len() {
        return Ok(());
    }
    let copy = file.filter(|_| done > 0).map(|file| backup::make(connection, file, done)).transpose()?;
    let migrated = apply(connection);
    if let (Err(_), Some(copy)) = (&migrated, &copy) {
        // The database is unchanged. A start that is repeated again and again must not fill the disk with copies.
        copy.remove();
    }
    migrated
}

/// Applies the migrations that a database has not been through, all or none.
fn apply(connection: &mut Connection) -> Result<(), Error> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have migrated it first.
    let done = shape(&transaction)?;
    for (name, sql) in &MIGRATIONS[done..] {
        transaction.execute_batch(sql)?;
        tracing::info!(step = name, "changed the shape of the database");
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", MIGRATIONS.len())?;
    transaction.commit()?;
    Ok(())
}

/// Returns the number of migrations a database has been through. Refuses a database that is newer than this program or
/// of another one.
pub(super) fn shape(connection: &Connection) -> Result<usize, Error> {
    let done: usize = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: u32 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if id != APPLICATION_ID && tables > 0 {
        return Err(Error::NotOurs);
    }
    if done > MIGRATIONS.len() {
        return Err(Error::Newer { found: done, known: MIGRATIONS.len() });
    }
    Ok(done)
}

/// Refuses a database that this program would have to migrate first.
pub(super) fn refuse_older(connection: &Connection) -> Result<(), Error> {
    let (found, known) = (shape(connection)?, MIGRATIONS.len());
    if found < known { Err(Error::Older { found, known }) } else { Ok(()) }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The first migration.
    pub(in crate::store) const FIRST: &str = MIGRATIONS[0].1;

    /// Returns all tables and indexes of a database, with their SQL.
    fn tables(connection: &Connection) -> Vec<(String, Option<String>)> {
        let mut find = connection.prepare("SELECT name, sql FROM sqlite_schema ORDER BY name").unwrap();
        let found = find.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        found.collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn migrating_twice_is_migrating_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("loadout.db");
        let mut connection = Connection::open(&file).unwrap();
        migrate(&mut connection, Some(&file)).unwrap();
        let once = tables(&connection);
        let names: Vec<&str> = once.iter().map(|(name, _)| name.as_str()).collect();
        for table in ["revision", "item", "assignment", "upgrade_run", "access_token", "component", "outbox"] {
            assert!(names.contains(&table), "{table} is not among {names:?}");
        }
        connection.execute_batch("INSERT INTO revision VALUES (1, '2026-01-01T00:00:00Z', 'a', 'b')").unwrap();
        migrate(&mut connection, Some(&file)).unwrap();
        assert_eq!((tables(&connection), shape(&connection).unwrap()), (once, MIGRATIONS.len()));
        let revisions: u32 = connection.query_row("SELECT count(*) FROM revision", [], |row| row.get(0)).unwrap();
        assert_eq!(revisions, 1, "what was written in between stays");
        let copies = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let copies: Vec<_> = copies.filter(|name| name.to_string_lossy().contains("backup")).collect();
        assert!(copies.is_empty(), "nothing had to be copied: {copies:?}");
    }

    /// Returns the rows that find people for lists, for all people.
    fn copies_of_people(connection: &Connection) -> Vec<String> {
        let texts = |sql| {
            let mut find = connection.prepare(sql).unwrap();
            let found = find.query_map([], |row| row.get::<_, String>(0)).unwrap();
            found.collect::<Result<Vec<_>, _>>().unwrap()
        };
        let people = "SELECT login || ': ' || display_name || ', first ' || first_role FROM person ORDER BY login";
        let roles = "SELECT login || ' is ' || role FROM person_role ORDER BY login, role";
        [texts(people), texts(roles)].concat()
    }

    #[test]
    fn people_of_an_older_database_are_found_as_those_that_are_written_now() {
        use serde_json::json;

        use crate::domain::revision::Author;
        use crate::domain::{AnyItem, Kind};
        use crate::store::{Change, ChangeSet, Store};

        let folder = tempfile::tempdir().unwrap();
        let author = Author::new("ada", "a test");
        let put = |kind, name: &str, json| Change::put(name, AnyItem::parse(kind, name, json).unwrap());
        let store = Store::open(folder.path()).unwrap();
        let roles = ["zeal", "Agent", "ägent"].map(|role| put(Kind::SecurityRole, role, json!({"name": role})));
        let first = [
            put(Kind::User, "ada", json!({"displayName": "Ada", "roles": ["zeal"]})),
            put(Kind::User, "bén", json!({"displayName": "It's \"Bén\"", "roles": ["ägent", "zeal", "Agent"]})),
            put(Kind::User, "gone", json!({"displayName": "Gone", "roles": ["zeal"]})),
        ];
        store.commit(ChangeSet::new(roles.into_iter().chain(first)), &author).unwrap();
        let gone = Change::Delete { kind: Kind::User, name: "gone".into(), expect: Default::default(), force: false };
        let second = [put(Kind::User, "ada", json!({"displayName": "Ada L."})), gone];
        store.commit(ChangeSet::new(second), &author).unwrap();
        let written = copies_of_people(&super::super::lock(&store.writer));
        insta::assert_snapshot!(written.join("\n"), @r#"
        ada: Ada L., first 
        bén: It's "Bén", first Agent
        bén is Agent
        bén is zeal
        bén is ägent
        "#);
        drop(store);
        // The state before those tables existed.
        let mut older = Connection::open(folder.path().join(Store::FILE)).unwrap();
        older.execute_batch("DROP TABLE person; DROP TABLE person_role; PRAGMA user_version = 8").unwrap();
        migrate(&mut older, None).unwrap();
        assert_eq!(copies_of_people(&older), written);
    }

    #[test]
    fn every_connection_waits_for_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let store = super::super::Store::open(folder.path()).unwrap();
        let of = |connection: &Connection| -> (u32, u32) {
            let pragma = |name| connection.pragma_query_value(None, name, |row| row.get(0)).unwrap();
            (pragma("synchronous"), pragma("fullfsync"))
        };
        const FULL: u32 = 2;
        assert_eq!(of(&super::super::lock(&store.writer)), (FULL, 1));
        assert_eq!(store.read(|reader| Ok(of(reader))).unwrap(), (FULL, 1));
        // A change of a token must leave these settings as they are.
        store.revoke_token("desk", "a").unwrap_err();
        assert_eq!(of(&super::super::lock(&store.writer)), (FULL, 1));
    }

    #[test]
    fn a_newer_database_and_a_foreign_one_are_refused_with_a_sentence() {
        let mut newer = Connection::open_in_memory().unwrap();
        migrate(&mut newer, None).unwrap();
        newer.pragma_update(None, "user_version", 99).unwrap();
        insta::assert_snapshot!(migrate(&mut newer, None).unwrap_err(), @"the database has shape 99, this program knows shapes up to 9: use a newer loadout");

        let mut foreign = Connection::open_in_memory().unwrap();
        foreign.execute_batch("CREATE TABLE t (x)").unwrap();
        insta::assert_snapshot!(migrate(&mut foreign, None).unwrap_err(), @"the database file was not made by loadout: choose another data folder");
    }
}
