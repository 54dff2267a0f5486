//! Access tokens, found by the hash of their secret.
//!
//! Every change of a token is in the audit before it is on disk. Only the hash of a secret is kept, so no secret can be
//! read back.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use sha2::{Digest, Sha256};

use crate::domain::access::{AccessToken, AuditEntry, AuditEvent, NewToken, Secret, Standing, TokenName};

use super::{Error, Store, lock};

/// How exactly the last use of a token is recorded, in seconds.
const LAST_USED: i64 = 3600;

const COLUMNS: &str = "t.name, t.roles, t.created, t.created_by, t.rotated, t.expires, t.revoked, t.last_used";

/// The token to which a secret belongs.
#[derive(Debug, Clone)]
pub struct Holder {
    /// The token.
    pub token: AccessToken,
    /// Whether a newer secret has replaced this one.
    pub replaced: bool,
}

impl Store {
    /// Makes a token and its secret. The secret is returned here and can never be read again.
    pub fn create_token(&self, new: &NewToken, by: &str) -> Result<(AccessToken, Secret), Error> {
        let NewToken { name, roles, expires } = new;
        let now = Timestamp::now();
        if let Some(expires) = expires.filter(|expires| *expires <= now) {
            return Err(Error::PastExpiry { expires });
        }
        let event = AuditEvent::TokenCreated { by: by.to_owned(), roles: roles.clone() };
        self.change_token(name, now, event, |connection| {
            let taken = "SELECT 1 FROM access_token WHERE name = ?1";
            if connection.query_row(taken, [name.as_str()], |_| Ok(())).optional()?.is_some() {
                return Err(Error::TokenExists { name: name.to_string() });
            }
            let roles = serde_json::to_string(roles).map_err(|error| Error::Corrupt(error.into()))?;
            connection.execute(
                "INSERT INTO access_token (name, roles, created, created_by, expires) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![name.as_str(), roles, now.to_string(), by, expires.map(|it| it.to_string())],
            )?;
            give_secret(connection, name.as_str())
        })
    }

    /// Gives a token a new secret and ends the old one. Refuses a token that is expired or revoked.
    pub fn rotate_token(&self, name: &str, by: &str) -> Result<(AccessToken, Secret), Error> {
        let now = Timestamp::now();
        let name = self.token(name)?.name;
        self.change_token(&name, now, AuditEvent::TokenRotated { by: by.to_owned() }, |connection| {
            let standing = find(connection, name.as_str())?.standing(now);
            if standing != Standing::Valid {
                return Err(Error::TokenOver { name: name.to_string(), standing: standing.as_str() });
            }
            let set = "UPDATE access_secret SET replaced = ?2 WHERE token = ?1 AND replaced IS NULL";
            connection.execute(set, params![name.as_str(), now.to_string()])?;
            connection.execute(
                "UPDATE access_token SET rotated = ?2 WHERE name = ?1",
                params![name.as_str(), now.to_string()],
            )?;
            give_secret(connection, name.as_str())
        })
    }

    /// Revokes a token for good. Changes nothing if it is revoked already.
    pub fn revoke_token(&self, name: &str, by: &str) -> Result<AccessToken, Error> {
        let now = Timestamp::now();
        let token = self.token(name)?;
        if token.revoked.is_some() {
            return Ok(token);
        }
        let event = AuditEvent::TokenRevoked { by: by.to_owned() };
        let (token, ()) = self.change_token(&token.name, now, event, |connection| {
            let set = "UPDATE access_token SET revoked = coalesce(revoked, ?2) WHERE name = ?1";
            connection.execute(set, params![token.name.as_str(), now.to_string()])?;
            Ok(())
        })?;
        Ok(token)
    }

    /// Returns all tokens by name, expired and revoked ones included.
    pub fn tokens(&self) -> Result<Vec<AccessToken>, Error> {
        self.read(|connection| {
            let mut find = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM access_token t ORDER BY name"))?;
            let mut rows = find.query([])?;
            let mut tokens = Vec::new();
            while let Some(row) = rows.next()? {
                tokens.push(parse(row)?);
            }
            Ok(tokens)
        })
    }

    /// Returns the token called `name`, or an error if there is none.
    pub fn token(&self, name: &str) -> Result<AccessToken, Error> {
        self.read(|connection| find(connection, name))
    }

    /// Returns the token that `secret` belongs to, or once belonged to. Costs one read by index. Nothing is cached, so
    /// a token that another process revoked is revoked here at once.
    pub fn holder(&self, secret: &Secret) -> Result<Option<Holder>, Error> {
        let hash = hash(secret);
        self.read(|connection| {
            let mut find = connection.prepare_cached(&format!(
                "SELECT {COLUMNS}, s.replaced IS NOT NULL FROM access_secret s JOIN access_token t ON t.name = s.token WHERE s.hash = ?1"
            ))?;
            let mut rows = find.query([&hash[..]])?;
            let Some(row) = rows.next()? else { return Ok(None) };
            Ok(Some(Holder { token: parse(row)?, replaced: row.get(8)? }))
        })
    }

    /// Records that a token was used at `at`, unless a use in that hour is recorded already.
    pub fn note_use(&self, name: &TokenName, at: Timestamp) -> Result<(), Error> {
        let hour = hour_of(at).to_string();
        let writer = lock(&self.writer);
        let set = "UPDATE access_token SET last_used = ?2 WHERE name = ?1 AND (last_used IS NULL OR last_used < ?2)";
        writer.prepare_cached(set)?.execute(params![name.as_str(), hour])?;
        Ok(())
    }

    /// Changes a token. The change is on disk and in the audit when this returns.
    ///
    /// The audit is written first. A process that is killed in between leaves a line about a change that did not
    /// happen, which is better than a change without a line.
    fn change_token<T>(
        &self,
        name: &TokenName,
        at: Timestamp,
        event: AuditEvent,
        change: impl FnOnce(&Connection) -> Result<T, Error>,
    ) -> Result<(AccessToken, T), Error> {
        self.as_writer(|connection| {
            let done = change(connection)?;
            let changed = find(connection, name.as_str())?;
            self.audit()?.write(&[AuditEntry { at, token: name.to_string(), event }])?;
            Ok((changed, done))
        })
    }
}

/// Returns whether a use of `token` at `at` has to be recorded.
pub fn is_news(token: &AccessToken, at: Timestamp) -> bool {
    token.last_used.is_none_or(|known| known < hour_of(at))
}

fn hour_of(at: Timestamp) -> Timestamp {
    let second = at.as_second();
    Timestamp::from_second(second - second.rem_euclid(LAST_USED)).unwrap_or(at)
}

fn hash(secret: &Secret) -> [u8; 32] {
    Sha256::digest(secret.reveal()).into()
}

fn give_secret(connection: &Connection, name: &str) -> Result<Secret, Error> {
    let mut bits = [0; 32];
    getrandom::fill(&mut bits).map_err(|error| Error::NoRandomness(error.to_string()))?;
    let secret = Secret::of(bits);
    connection.execute("INSERT INTO access_secret (hash, token) VALUES (?1, ?2)", params![hash(&secret), name])?;
    Ok(secret)
}

fn find(connection: &Connection, name: &str) -> Result<AccessToken, Error> {
    let mut find = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM access_token t WHERE name = ?1"))?;
    let mut rows = find.query([name])?;
    let row = rows.next()?.ok_or_else(|| Error::NoSuchToken { name: name.to_owned() })?;
    parse(row)
}

fn parse(row: &Row<'_>) -> Result<AccessToken, Error> {
    let time = |text: String| text.parse().map_err(|error: jiff::Error| Error::Corrupt(error.into()));
    let perhaps = |column| row.get::<_, Option<String>>(column)?.map(time).transpose();
    let name = row
        .get::<_, String>(0)?
        .parse()
        .map_err(|error: crate::domain::access::InvalidTokenName| Error::Corrupt(error.into()))?;
    let roles = serde_json::from_str(&row.get::<_, String>(1)?).map_err(|error| Error::Corrupt(error.into()))?;
    Ok(AccessToken {
        name,
        roles,
        created: time(row.get(2)?)?,
        created_by: row.get(3)?,
        rotated: perhaps(4)?,
        expires: perhaps(5)?,
        revoked: perhaps(6)?,
        last_used: perhaps(7)?,
    })
}

#[cfg(test)]
mod tests;
