//! The schema version of a database: how many migrations it has been through.

use rusqlite::Connection;

use super::error::Error;

/// Marks the file as ours, in SQLite's `application_id`.
pub(super) const APPLICATION_ID: i32 = 0x4c6f_6164; // "Load"

/// The migrations, oldest first. A database's `user_version` is the number of migrations it has been through.
pub(super) const MIGRATIONS: &[(&str, &str)] = &[
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

/// The number of migrations a database has been through. Refuses a database that is newer than this program or of
/// another one.
pub(super) fn schema_version(connection: &Connection) -> Result<usize, Error> {
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
