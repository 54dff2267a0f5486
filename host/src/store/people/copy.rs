//! The tables that find and sort people for lists. They repeat what the rows of items say, and are written together
//! with those.

use rusqlite::{Connection, params};

use crate::domain::User;
use crate::store::Error;

/// Deletes the person with `login` from the tables.
pub(in crate::store) fn remove(connection: &Connection, login: &str) -> Result<(), Error> {
    connection.prepare_cached("DELETE FROM person WHERE login = ?1")?.execute([login])?;
    connection.prepare_cached("DELETE FROM person_role WHERE login = ?1")?.execute([login])?;
    Ok(())
}

/// Adds a person who is not in the tables.
pub(in crate::store) fn add(connection: &Connection, login: &str, user: &User) -> Result<(), Error> {
    let first_role = user.roles.first().map_or("", |role| role.as_str());
    connection
        .prepare_cached("INSERT INTO person (login, display_name, first_role) VALUES (?1, ?2, ?3)")?
        .execute(params![login, user.display_name.as_str(), first_role])?;
    let mut hold = connection.prepare_cached("INSERT INTO person_role (login, role) VALUES (?1, ?2)")?;
    for role in &user.roles {
        hold.execute([login, role.as_str()])?;
    }
    Ok(())
}
