//! The tables that lists of people are found and sorted by. They say nothing that the rows of items do not say, and are
//! written with them.

use rusqlite::{Connection, params};

use crate::domain::User;
use crate::store::Error;

/// Takes the person with `login` out.
pub(in crate::store) fn remove(connection: &Connection, login: &str) -> Result<(), Error> {
    connection.prepare_cached("DELETE FROM person WHERE login = ?1")?.execute([login])?;
    connection.prepare_cached("DELETE FROM person_role WHERE login = ?1")?.execute([login])?;
    Ok(())
}

/// Puts a person in who is not there.
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
