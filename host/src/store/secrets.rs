//! The secrets: a database of its own beside the configuration, which only its owner may read.
//!
//! Hands out a value by name, and otherwise only who wrote it when. No value is ever in a revision. They are not encrypted: whoever may
//! read the file may read them.

use std::path::Path;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use crate::domain::{SecretName, SecretRecord, SecretValue};

use super::beside::Beside;
use super::{Error, Store, lock};

/// The database. Its journal is emptied after each change.
const SECRETS: Beside = Beside {
    id: 0x4c6f_5365, // "LoSe"
    tables: include_str!("secrets.sql"),
    since: &[],
    written: ("TRUNCATE", "FULL"),
    private: true,
};

/// The secrets of one environment.
pub struct Secrets {
    connection: Mutex<Connection>,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(…)")
    }
}

impl Secrets {
    /// The name of the database within the data folder.
    pub const FILE: &str = "secrets.db";

    fn open(folder: &Path) -> Result<Self, Error> {
        let file = folder.join(Self::FILE);
        let connection = SECRETS.open(&file)?;
        Ok(Self { connection: Mutex::new(connection) })
    }

    /// Writes a secret, in place of what it was. Says whether it is new.
    pub fn put(&self, name: &SecretName, value: &SecretValue, at: Timestamp, who: &str) -> Result<bool, Error> {
        let mut connection = lock(&self.connection);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let there = "SELECT count(*) FROM secret WHERE name = ?1";
        let there: u32 = transaction.query_row(there, [name.as_str()], |row| row.get(0))?;
        transaction.execute(
            "INSERT INTO secret (name, value, at, who) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value, at = excluded.at, who = excluded.who",
            (name.as_str(), value.reveal(), at.to_string(), who),
        )?;
        transaction.commit()?;
        Ok(there == 0)
    }

    /// Deletes a secret.
    pub fn delete(&self, name: &SecretName) -> Result<(), Error> {
        let deleted = lock(&self.connection).execute("DELETE FROM secret WHERE name = ?1", [name.as_str()])?;
        if deleted == 0 { Err(Error::NoSuchSecret { name: name.to_string() }) } else { Ok(()) }
    }

    /// That there are secrets, by name.
    pub fn list(&self) -> Result<Vec<SecretRecord>, Error> {
        let connection = lock(&self.connection);
        let mut find = connection.prepare_cached("SELECT name, at, who FROM secret ORDER BY name")?;
        let mut rows = find.query([])?;
        let mut records = Vec::new();
        while let Some(row) = rows.next()? {
            let name = row.get::<_, String>(0)?.parse::<SecretName>().map_err(|error| Error::Corrupt(error.into()))?;
            let at = row.get::<_, String>(1)?.parse().map_err(|error: jiff::Error| Error::Corrupt(error.into()))?;
            records.push(SecretRecord { name, at, who: row.get(2)? });
        }
        Ok(records)
    }

    /// The value of a secret.
    pub fn value(&self, name: &SecretName) -> Result<Option<SecretValue>, Error> {
        let connection = lock(&self.connection);
        let mut find = connection.prepare_cached("SELECT value FROM secret WHERE name = ?1")?;
        let text: Option<String> = find.query_row([name.as_str()], |row| row.get(0)).optional()?;
        text.map(|text| SecretValue::new(text).map_err(|error| Error::Corrupt(error.into()))).transpose()
    }
}

impl Store {
    /// The secrets; their database is made if it is not there.
    pub fn secrets(&self) -> Result<&Arc<Secrets>, Error> {
        if let Some(secrets) = self.secrets.get() {
            return Ok(secrets);
        }
        let opened = Arc::new(Secrets::open(self.folder())?);
        Ok(self.secrets.get_or_init(|| opened))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_written_replaced_and_gone() {
        let folder = tempfile::tempdir().unwrap();
        let name: SecretName = "kb-token".parse().unwrap();
        let value = |text: &str| SecretValue::new(text.to_owned()).unwrap();
        let secrets = Secrets::open(folder.path()).unwrap();
        let at = Timestamp::UNIX_EPOCH;
        assert!(secrets.put(&name, &value("the first value"), at, "ada").unwrap());
        assert!(!secrets.put(&name, &value("the second value"), at, "bob").unwrap());
        let again = Secrets::open(folder.path()).unwrap();
        assert_eq!(again.value(&name).unwrap(), Some(value("the second value")), "another process sees it");
        assert_eq!(again.list().unwrap(), [SecretRecord { name: name.clone(), at, who: "bob".to_owned() }]);
        again.delete(&name).unwrap();
        assert_eq!(secrets.value(&name).unwrap(), None);
        assert!(matches!(secrets.delete(&name), Err(Error::NoSuchSecret { .. })));
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            for gone in [b"first value" as &[u8], b"second value"] {
                assert!(!bytes.windows(gone.len()).any(|window| window == gone), "it is still in the file");
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_the_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(Secrets::FILE);
        std::fs::write(&file, "").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        Secrets::open(folder.path()).unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
