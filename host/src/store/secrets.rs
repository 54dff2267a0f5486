//! The secrets: a database of its own beside the configuration, which only its owner may read.
//!
//! Hands out a value by name, and otherwise only who wrote it when. No value is ever in a revision. They are not encrypted: whoever may
//! read the file may read them.

use std::fs::OpenOptions;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use crate::domain::{SecretName, SecretRecord, SecretValue};

use super::{Error, Store, lock};

/// Marks the file as secrets, in SQLite's `application_id`.
const APPLICATION_ID: i32 = 0x4c6f_5365; // "LoSe"
/// The shape of the database this program writes, in SQLite's `user_version`.
const SHAPE: usize = 1;

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
        make_private(&file).map_err(|source| Error::Folder { path: file.display().to_string(), source })?;
        let mut connection = Connection::open(&file)?;
        connection.busy_timeout(Duration::from_secs(10))?;
        // What is deleted is overwritten, in the file and in the journal, which is emptied after each change.
        connection.pragma_update(None, "secure_delete", true)?;
        connection.pragma_update(None, "journal_mode", "TRUNCATE")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let tables: u32 = transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        let id: i32 = transaction.pragma_query_value(None, "application_id", |row| row.get(0))?;
        let shape: usize = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if tables == 0 {
            transaction.execute_batch(include_str!("secrets.sql"))?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.pragma_update(None, "user_version", SHAPE)?;
        } else if id != APPLICATION_ID {
            return Err(Error::NotOurs);
        } else if shape > SHAPE {
            return Err(Error::Newer { found: shape, known: SHAPE });
        }
        transaction.commit()?;
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

/// Makes the file if it is not there, and takes everybody else's rights to it away. SQLite gives its journal the same rights.
fn make_private(file: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let made = options.open(file)?;
    #[cfg(unix)]
    made.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    drop(made);
    Ok(())
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
