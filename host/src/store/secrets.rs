//! The secrets, in a side database that only its owner may read.
//!
//! A look-up by name returns a value and its hosts; a list returns names, hosts, times and authors, but no values. No
//! revision holds a value. The values are not encrypted: a user who may read the file may read them.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use crate::domain::{HttpHost, KeptSecret, SecretHosts, SecretName, SecretRecord, SecretValue};

use super::side_database::SideDatabase;
use super::{Error, Store, lock};

/// The database. Its journal is emptied after each change.
const SECRETS: SideDatabase = SideDatabase {
    id: 0x4c6f_5365, // "LoSe"
    tables: include_str!("secrets.sql"),
    since: &[HOSTS],
    written: ("TRUNCATE", "FULL"),
    private: true,
};

/// The hosts a secret is for, as a JSON list. Secrets that were written before this column have no hosts, so they are
/// sent nowhere.
const HOSTS: &str = "ALTER TABLE secret ADD COLUMN hosts TEXT NOT NULL DEFAULT '[]'";

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

    /// Writes a secret, in place of its old value. Returns whether it is new.
    pub fn put(
        &self,
        name: &SecretName,
        value: &SecretValue,
        hosts: &SecretHosts,
        at: Timestamp,
        who: &str,
    ) -> Result<bool, Error> {
        let hosts = serde_json::to_string(hosts).map_err(|error| Error::Corrupt(error.into()))?;
        let mut connection = lock(&self.connection);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let there = "SELECT count(*) FROM secret WHERE name = ?1";
        let there: u32 = transaction.query_row(there, [name.as_str()], |row| row.get(0))?;
        transaction.execute(
            "INSERT INTO secret (name, value, at, who, hosts) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (name) DO UPDATE
             SET value = excluded.value, at = excluded.at, who = excluded.who, hosts = excluded.hosts",
            (name.as_str(), value.reveal(), at.to_string(), who, hosts),
        )?;
        transaction.commit()?;
        Ok(there == 0)
    }

    /// Deletes a secret.
    pub fn delete(&self, name: &SecretName) -> Result<(), Error> {
        let deleted = lock(&self.connection).execute("DELETE FROM secret WHERE name = ?1", [name.as_str()])?;
        if deleted == 0 { Err(Error::NoSuchSecret { name: name.to_string() }) } else { Ok(()) }
    }

    /// Returns the records of all secrets, by name, without values.
    pub fn list(&self) -> Result<Vec<SecretRecord>, Error> {
        let connection = lock(&self.connection);
        let mut find = connection.prepare_cached("SELECT name, at, who, hosts FROM secret ORDER BY name")?;
        let mut rows = find.query([])?;
        let mut records = Vec::new();
        while let Some(row) = rows.next()? {
            let name = row.get::<_, String>(0)?.parse::<SecretName>().map_err(|error| Error::Corrupt(error.into()))?;
            let at = row.get::<_, String>(1)?.parse().map_err(|error: jiff::Error| Error::Corrupt(error.into()))?;
            records.push(SecretRecord { name, hosts: hosts(&row.get::<_, String>(3)?)?, at, who: row.get(2)? });
        }
        Ok(records)
    }

    /// Returns the value of a secret, with the hosts it is for.
    pub fn find(&self, name: &SecretName) -> Result<Option<KeptSecret>, Error> {
        let connection = lock(&self.connection);
        let mut find = connection.prepare_cached("SELECT value, hosts FROM secret WHERE name = ?1")?;
        let found = find.query_row([name.as_str()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let Some((value, typed)): Option<(String, String)> = found else { return Ok(None) };
        let value = SecretValue::new(value).map_err(|error| Error::Corrupt(error.into()))?;
        Ok(Some(KeptSecret { value, hosts: hosts(&typed)? }))
    }
}

fn hosts(kept: &str) -> Result<BTreeSet<HttpHost>, Error> {
    serde_json::from_str(kept).map_err(|error| Error::Corrupt(error.into()))
}

impl Store {
    /// Returns the secrets. Makes their database if there is none.
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
        let hosts = |typed: &str| -> BTreeSet<HttpHost> { typed.split(' ').map(|it| it.parse().unwrap()).collect() };
        let put = |text: &str, typed: &str, who: &str| {
            secrets.put(&name, &value(text), &hosts(typed).try_into().unwrap(), at, who).unwrap()
        };
        assert!(put("the first value", "a.example", "ada"));
        assert!(!put("the second value", "b.example a.example:8443", "bob"));
        let again = Secrets::open(folder.path()).unwrap();
        let hosts = hosts("a.example:8443 b.example");
        let kept = KeptSecret { value: value("the second value"), hosts: hosts.clone() };
        assert_eq!(again.find(&name).unwrap(), Some(kept), "another process sees it");
        assert_eq!(again.list().unwrap(), [SecretRecord { name: name.clone(), hosts, at, who: "bob".to_owned() }]);
        again.delete(&name).unwrap();
        assert_eq!(secrets.find(&name).unwrap(), None);
        assert!(matches!(secrets.delete(&name), Err(Error::NoSuchSecret { .. })));
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            for gone in [b"first value" as &[u8], b"second value"] {
                assert!(!bytes.windows(gone.len()).any(|window| window == gone), "it is still in the file");
            }
        }
    }

    #[test]
    fn a_secret_of_an_older_program_has_no_host() {
        let folder = tempfile::tempdir().unwrap();
        let old = SideDatabase { since: &[], ..SECRETS }.open(&folder.path().join(Secrets::FILE)).unwrap();
        let row =
            "INSERT INTO secret (name, value, at, who) VALUES ('crm', 'an-old-secret', '2026-01-01T00:00:00Z', 'ada')";
        old.execute_batch(row).unwrap();
        drop(old);
        let secrets = Secrets::open(folder.path()).unwrap();
        let name: SecretName = "crm".parse().unwrap();
        let kept = secrets.find(&name).unwrap().unwrap();
        assert_eq!((kept.value.reveal(), kept.hosts.len()), ("an-old-secret", 0));
        assert!(secrets.list().unwrap()[0].hosts.is_empty());
        let host: BTreeSet<HttpHost> = ["a.example".parse().unwrap()].into();
        secrets.put(&name, &kept.value, &host.clone().try_into().unwrap(), Timestamp::UNIX_EPOCH, "bob").unwrap();
        assert_eq!(secrets.find(&name).unwrap().unwrap().hosts, host, "written again, it has one");
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
