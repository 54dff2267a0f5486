//! The shape of the database, as a list of steps.
//!
//! Refuses a database that is newer than this program, or that is something else altogether.

use rusqlite::{Connection, TransactionBehavior};

use super::Error;

/// Marks the file as ours, in SQLite's `application_id`.
const APPLICATION_ID: i32 = 0x4c6f_6164; // "Load"

/// The steps, oldest first. A database's `user_version` is the number of steps it has been through.
const MIGRATIONS: &[(&str, &str)] = &[("0001-revisions", include_str!("migrations/0001-revisions.sql"))];

/// Settings of every connection.
pub(super) fn configure(connection: &Connection) -> Result<(), Error> {
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// Brings a database to the newest shape, all steps or none.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), Error> {
    // A database that is being made by another process answers "busy" here, and the time-out waits for it.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let done: usize = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let id: i32 = transaction.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: u32 = transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if id != APPLICATION_ID && tables > 0 {
        return Err(Error::NotOurs);
    }
    if done > MIGRATIONS.len() {
        return Err(Error::Newer { found: done, known: MIGRATIONS.len() });
    }
    for (name, sql) in &MIGRATIONS[done..] {
        transaction.execute_batch(sql)?;
        tracing::info!(step = name, "changed the shape of the database");
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", MIGRATIONS.len())?;
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrating_twice_is_migrating_once() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        migrate(&mut connection).unwrap();
    }

    #[test]
    fn a_newer_database_and_a_foreign_one_are_refused_with_a_sentence() {
        let mut newer = Connection::open_in_memory().unwrap();
        migrate(&mut newer).unwrap();
        newer.pragma_update(None, "user_version", 99).unwrap();
        insta::assert_snapshot!(migrate(&mut newer).unwrap_err(), @"the database has shape 99, this program knows shapes up to 1: use a newer loadout");

        let mut foreign = Connection::open_in_memory().unwrap();
        foreign.execute_batch("CREATE TABLE t (x)").unwrap();
        insta::assert_snapshot!(migrate(&mut foreign).unwrap_err(), @"the database file was not made by loadout: choose another data folder");
    }
}
