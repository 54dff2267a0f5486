//! People and their direct assignments, looked up by key.

pub(super) mod copy;
mod listing;
mod ranges;

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::{AnyItem, InvalidName, Item, Kind, Name, Profile, Revision, User};

use super::{Error, Snapshot, Store};

pub use listing::{PeopleOrder, PersonKey, Standing};
pub use ranges::Ranges;

/// One person, with what profile selection needs.
#[derive(Debug, Clone)]
pub struct Person {
    /// The login.
    pub login: Name<User>,
    /// The user.
    pub user: User,
    /// The profiles the person is assigned to directly. More than one only in imported data (ruling 8.3).
    pub direct: Vec<Name<Profile>>,
}

impl Store {
    /// Returns the person with `login` at `revision`, if there was one then.
    pub fn person(&self, login: &Name<User>, revision: Revision) -> Result<Option<Person>, Error> {
        Ok(self.read(|connection| look_up(connection, login, Some(revision)))?.1)
    }

    /// Returns the library at the newest revision, and the person with `login` at that revision.
    pub fn newest_with(&self, login: &Name<User>) -> Result<(Arc<Snapshot>, Option<Person>), Error> {
        let (newest, person) = self.read(|connection| look_up(connection, login, None))?;
        Ok((self.library(newest)?, person))
    }

    /// Returns up to `limit` people assigned to `profile` directly, by login, after the login `after`.
    pub fn assigned_people(&self, profile: &Name<Profile>, after: &str, limit: usize) -> Result<Vec<String>, Error> {
        self.read(|connection| assigned_logins(connection, profile.as_str(), after, limit))
    }

    /// Returns every direct assignment at `revision`: login and profile, sorted.
    pub fn assignments(&self, revision: Revision) -> Result<Vec<(String, String)>, Error> {
        self.read(|connection| {
            let mut find = connection.prepare_cached(
                "SELECT login, profile FROM assignment WHERE since <= ?1 AND (until IS NULL OR until > ?1) ORDER BY login, profile",
            )?;
            let all = find.query_map([revision.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(all.collect::<Result<_, _>>()?)
        })
    }

    /// Returns up to `limit` people by login, after the login `after`, each with the revision that wrote it.
    pub fn people(&self, after: &str, limit: usize) -> Result<Vec<(String, User, Revision)>, Error> {
        self.read(|connection| {
            let mut find = connection.prepare_cached(
                "SELECT name, body, since FROM item WHERE kind = 'users' AND until IS NULL AND name > ?1 ORDER BY name LIMIT ?2",
            )?;
            let mut rows = find.query(params![after, limit])?;
            let mut people = Vec::new();
            while let Some(row) = rows.next()? {
                let login: String = row.get(0)?;
                let user = parse_user(&login, &row.get::<_, String>(1)?)?;
                people.push((login, user, Revision(row.get(2)?)));
            }
            Ok(people)
        })
    }

    /// Returns the person with `login` at the newest revision, with the revision that wrote the item.
    pub fn user(&self, login: &str) -> Result<Option<(User, Revision)>, Error> {
        self.read(|connection| current_user(connection, login))
    }
}

/// Returns the person at `revision` or at the newest one, and the number of that revision. Uses one statement, because
/// every statement takes a lock of the file that all threads share.
fn look_up(
    connection: &Connection,
    login: &Name<User>,
    revision: Option<Revision>,
) -> Result<(Revision, Option<Person>), Error> {
    let mut find = connection.prepare_cached(
        "WITH at (revision) AS (SELECT coalesce(?2, (SELECT max(id) FROM revision), 0))
         SELECT revision,
                (SELECT body FROM item
                  WHERE kind = 'users' AND name = ?1 AND since <= revision AND (until IS NULL OR until > revision)),
                (SELECT json_group_array(profile ORDER BY profile) FROM assignment
                  WHERE login = ?1 AND since <= revision AND (until IS NULL OR until > revision))
           FROM at",
    )?;
    let (revision, body, direct) = find.query_row(params![login.as_str(), revision.map(|it| it.0)], |row| {
        Ok((Revision(row.get(0)?), row.get::<_, Option<String>>(1)?, row.get::<_, String>(2)?))
    })?;
    let Some(body) = body else { return Ok((revision, None)) };
    let user = parse_user(login.as_str(), &body)?;
    let direct: Vec<String> = serde_json::from_str(&direct).map_err(|error| Error::Corrupt(error.into()))?;
    let direct = direct.iter().map(|profile| profile.parse()).collect::<Result<_, _>>();
    let direct = direct.map_err(|error: InvalidName| Error::Corrupt(error.into()))?;
    Ok((revision, Some(Person { login: login.clone(), user, direct })))
}

fn parse_user(login: &str, body: &str) -> Result<User, Error> {
    let json = serde_json::from_str(body).map_err(|error| Error::Corrupt(error.into()))?;
    let item = AnyItem::parse(Kind::User, login, json).map_err(|error| Error::Corrupt(error.into()))?;
    User::from_any(&item).cloned().ok_or_else(|| Error::Corrupt(format!("user `{login}` is something else").into()))
}

pub(super) fn current_user(connection: &Connection, login: &str) -> Result<Option<(User, Revision)>, Error> {
    let mut find = connection
        .prepare_cached("SELECT body, since FROM item WHERE kind = 'users' AND name = ?1 AND until IS NULL")?;
    let found = find.query_row([login], |row| Ok((row.get::<_, String>(0)?, Revision(row.get(1)?)))).optional()?;
    found.map(|(body, since)| Ok((parse_user(login, &body)?, since))).transpose()
}

pub(super) fn assigned_profiles(
    connection: &Connection,
    login: &str,
    revision: Revision,
) -> Result<Vec<Name<Profile>>, Error> {
    let mut find = connection.prepare_cached(
        "SELECT profile FROM assignment WHERE login = ?1 AND since <= ?2 AND (until IS NULL OR until > ?2) ORDER BY profile",
    )?;
    let mut rows = find.query(params![login, revision.0])?;
    let mut profiles = Vec::new();
    while let Some(row) = rows.next()? {
        let profile = row.get::<_, String>(0)?.parse::<Name<Profile>>();
        profiles.push(profile.map_err(|error| Error::Corrupt(error.into()))?);
    }
    Ok(profiles)
}

pub(super) fn assigned_logins(
    connection: &Connection,
    profile: &str,
    after: &str,
    limit: usize,
) -> Result<Vec<String>, Error> {
    let mut find = connection.prepare_cached(
        "SELECT login FROM assignment WHERE profile = ?1 AND until IS NULL AND login > ?2 ORDER BY login LIMIT ?3",
    )?;
    let logins = find.query_map(params![profile, after, limit], |row| row.get(0))?;
    Ok(logins.collect::<Result<_, _>>()?)
}

/// Returns the other profiles to which people of `profile` are assigned directly, each with the number of those people.
pub(super) fn who_share(connection: &Connection, profile: &str) -> Result<Vec<(String, u64)>, Error> {
    let mut find = connection.prepare_cached(
        "SELECT other.profile, count(*) FROM assignment own JOIN assignment other ON other.login = own.login
          WHERE own.profile = ?1 AND own.until IS NULL AND other.profile <> ?1 AND other.until IS NULL
          GROUP BY other.profile ORDER BY other.profile",
    )?;
    let shared = find.query_map([profile], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(shared.collect::<Result<_, _>>()?)
}

/// Returns up to `limit` people who are assigned to both profiles directly, by login.
pub(super) fn shared_logins(
    connection: &Connection,
    profile: &str,
    other: &str,
    limit: usize,
) -> Result<Vec<String>, Error> {
    let mut find = connection.prepare_cached(
        "SELECT own.login FROM assignment own JOIN assignment other ON other.login = own.login
          WHERE own.profile = ?1 AND own.until IS NULL AND other.profile = ?2 AND other.until IS NULL
          ORDER BY own.login LIMIT ?3",
    )?;
    let logins = find.query_map(params![profile, other, limit], |row| row.get(0))?;
    Ok(logins.collect::<Result<_, _>>()?)
}

/// Returns how many people are assigned to a profile directly.
pub(super) fn count_assigned(connection: &Connection, profile: &str) -> Result<u64, Error> {
    let mut count =
        connection.prepare_cached("SELECT count(*) FROM assignment WHERE profile = ?1 AND until IS NULL")?;
    Ok(count.query_row([profile], |row| row.get(0))?)
}

/// Returns up to `limit` people who hold `role`, by login, after the login `after`.
pub(super) fn holders(connection: &Connection, role: &str, after: &str, limit: usize) -> Result<Vec<String>, Error> {
    let mut find = connection
        .prepare_cached("SELECT login FROM person_role WHERE role = ?1 AND login > ?2 ORDER BY login LIMIT ?3")?;
    let logins = find.query_map(params![role, after, limit], |row| row.get(0))?;
    Ok(logins.collect::<Result<_, _>>()?)
}

/// Returns how many people hold a role.
pub(super) fn count_holders(connection: &Connection, role: &str) -> Result<u64, Error> {
    let mut count = connection.prepare_cached("SELECT count(*) FROM person_role WHERE role = ?1")?;
    Ok(count.query_row([role], |row| row.get(0))?)
}
