//! The shape of the database, as a list of steps.
//!
//! Refuses a database that is newer than this program, or that is something else altogether. One that is older is copied
//! before it is changed.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, TransactionBehavior};

use super::Error;

/// Marks the file as ours, in SQLite's `application_id`.
const APPLICATION_ID: i32 = 0x4c6f_6164; // "Load"

/// The steps, oldest first. A database's `user_version` is the number of steps it has been through.
const MIGRATIONS: &[(&str, &str)] = &[
    ("0001-revisions", include_str!("migrations/0001-revisions.sql")),
    ("0002-upgrades", include_str!("migrations/0002-upgrades.sql")),
    ("0003-access", include_str!("migrations/0003-access.sql")),
    ("0004-plugins", include_str!("migrations/0004-plugins.sql")),
    ("0005-holders", include_str!("migrations/0005-holders.sql")),
    ("0006-manifests", include_str!("migrations/0006-manifests.sql")),
];

/// Settings of every connection.
pub(super) fn configure(connection: &Connection) -> Result<(), Error> {
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// Brings a database to the newest shape, all steps or none. `file` is where it lies; a copy of what it was is left beside it.
pub(super) fn migrate(connection: &mut Connection, file: Option<&Path>) -> Result<(), Error> {
    // A database that is being made by another process answers "busy" here, and the time-out waits for it.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    let done = shape(connection)?;
    if done == MIGRATIONS.len() {
        return Ok(());
    }
    if let Some(file) = file.filter(|_| done > 0) {
        let copy = back_up(connection, file, done)?;
        tracing::info!(copy = %copy.display(), "kept a copy of the database before changing its shape");
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have been faster.
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

/// How many steps a database has been through. Refuses what is newer than this program, and what is not ours.
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

/// Refuses a database that this program would have to change first.
pub(super) fn refuse_older(connection: &Connection) -> Result<(), Error> {
    let (found, known) = (shape(connection)?, MIGRATIONS.len());
    if found < known { Err(Error::Older { found, known }) } else { Ok(()) }
}

/// Copies a database as it is, whole or not at all.
fn back_up(connection: &Connection, file: &Path, shape: usize) -> Result<PathBuf, Error> {
    let copy = file.with_file_name(format!("loadout-shape-{shape}-backup.db"));
    let unusable = |source| Error::Folder { path: copy.display().to_string(), source };
    let unfinished = file.with_file_name(format!("loadout-shape-{shape}-backup.{}.tmp", std::process::id()));
    if unfinished.exists() {
        fs::remove_file(&unfinished).map_err(unusable)?;
    }
    connection.execute("VACUUM INTO ?1", [unfinished.to_string_lossy()])?;
    // Another process may have been faster: what was copied then is no longer what it was, and the copy it made stays.
    let is_old = self::shape(&Connection::open(&unfinished)?)? == shape;
    if !is_old || copy.exists() {
        fs::remove_file(&unfinished).map_err(unusable)?;
        return Ok(copy);
    }
    fs::File::open(&unfinished).and_then(|file| file.sync_all()).map_err(unusable)?;
    fs::rename(&unfinished, &copy).map_err(unusable)?;
    Ok(copy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrating_twice_is_migrating_once() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, None).unwrap();
        migrate(&mut connection, None).unwrap();
    }

    #[test]
    fn an_older_database_is_copied_before_it_is_changed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("loadout.db");
        let mut older = Connection::open(&file).unwrap();
        older.execute_batch(MIGRATIONS[0].1).unwrap();
        older.execute_batch("INSERT INTO revision VALUES (1, '2026-01-01T00:00:00Z', 'a', 'b')").unwrap();
        older.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        older.pragma_update(None, "user_version", 1).unwrap();
        insta::assert_snapshot!(refuse_older(&older).unwrap_err(), @"the database has shape 1, this program works on shape 6: start `loadout serve` once, which changes it and keeps a copy");
        migrate(&mut older, Some(&file)).unwrap();
        refuse_older(&older).unwrap();
        // Whoever was slower copies nothing over it.
        back_up(&older, &file, 1).unwrap();
        let copy = Connection::open(folder.path().join("loadout-shape-1-backup.db")).unwrap();
        assert_eq!(shape(&copy).unwrap(), 1);
        let revisions: u32 = copy.query_row("SELECT count(*) FROM revision", [], |row| row.get(0)).unwrap();
        assert_eq!((revisions, std::fs::read_dir(folder.path()).unwrap().count() >= 2), (1, true));
    }

    #[test]
    fn a_newer_database_and_a_foreign_one_are_refused_with_a_sentence() {
        let mut newer = Connection::open_in_memory().unwrap();
        migrate(&mut newer, None).unwrap();
        newer.pragma_update(None, "user_version", 99).unwrap();
        insta::assert_snapshot!(migrate(&mut newer, None).unwrap_err(), @"the database has shape 99, this program knows shapes up to 6: use a newer loadout");

        let mut foreign = Connection::open_in_memory().unwrap();
        foreign.execute_batch("CREATE TABLE t (x)").unwrap();
        insta::assert_snapshot!(migrate(&mut foreign, None).unwrap_err(), @"the database file was not made by loadout: choose another data folder");
    }
}
