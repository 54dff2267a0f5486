//! Components of plugins, by digest.
//!
//! What serves is said by the items of the collection `plugins`, at each revision; here is only what they name. A component is
//! written in the transaction of the revision that names it first, and never changes.

use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;

use crate::domain::revision::Author;
use crate::domain::{Digest, Duties, PluginVersion, Revision};

use super::commit::End;
use super::component_kinds::declare;
use super::{ChangeSet, Committed, Error, Store, rows};

/// A component to be kept.
#[derive(Debug, Clone)]
pub struct Component {
    /// Its identity.
    pub digest: Digest,
    /// The plugin, as `publisher/name`.
    pub plugin: String,
    /// The version it is of the plugin.
    pub version: PluginVersion,
    /// The component itself.
    pub bytes: Vec<u8>,
    /// The tool kinds it declares.
    pub duties: Duties,
}

/// What is known of a component that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentRecord {
    /// Its identity.
    pub digest: Digest,
    /// When it was installed.
    pub at: jiff::Timestamp,
    /// Who installed it.
    pub who: String,
    /// Its bytes.
    pub size: u64,
}

/// A version that could not be installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = FailedPluginVersion)]
pub struct FailedVersion {
    /// The version.
    #[schema(value_type = String)]
    pub version: PluginVersion,
    /// The component.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// When it was tried.
    #[schema(value_type = String, format = DateTime)]
    pub at: jiff::Timestamp,
    /// Who tried.
    pub who: String,
    /// Why it cannot be used.
    pub reason: String,
}

/// Most failed versions that are remembered of one plugin.
const FAILURES_KEPT: u32 = 20;

/// Of how many plugins failed versions are remembered: what a component calls itself is its own invention.
const FAILING_KEPT: u32 = 100;

/// Longest reason that is remembered, in characters.
const LONGEST_REASON: usize = 2_000;

impl Store {
    /// Carries out `changes` and keeps `components`, all or none.
    pub fn install(&self, components: &[Component], changes: ChangeSet, author: &Author) -> Result<Committed, Error> {
        let keep = |connection: &Connection, committed: &Committed| {
            components.iter().try_for_each(|component| insert(connection, component, committed.revision, author))
        };
        self.attempt(changes, author, End::Keep(&keep))
    }

    /// The bytes of a component.
    pub fn component(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Error> {
        self.read(|connection| {
            let mut find = connection.prepare_cached("SELECT bytes FROM component WHERE digest = ?1")?;
            Ok(find.query_row([digest.as_str()], |row| row.get(0)).optional()?)
        })
    }

    /// What is known of a component.
    pub fn component_record(&self, digest: &Digest) -> Result<Option<ComponentRecord>, Error> {
        self.read(|connection| {
            let mut find = connection.prepare_cached("SELECT at, who, size FROM component WHERE digest = ?1")?;
            let mut found = find.query([digest.as_str()])?;
            let Some(row) = found.next()? else { return Ok(None) };
            let at = rows::timestamp(&row.get::<_, String>(0)?)?;
            Ok(Some(ComponentRecord { digest: digest.clone(), at, who: row.get(1)?, size: row.get(2)? }))
        })
    }

    /// Remembers that a version could not be installed. What served goes on serving.
    pub fn keep_failure(
        &self,
        plugin: &str,
        version: PluginVersion,
        digest: &Digest,
        reason: &str,
        author: &Author,
    ) -> Result<(), Error> {
        let reason: String = reason.chars().take(LONGEST_REASON).collect();
        self.as_writer(|connection| {
            connection
                .prepare_cached(
                    "INSERT INTO component_failure (plugin, version, digest, at, who, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                     ON CONFLICT (plugin, version) DO UPDATE SET digest = ?3, at = ?4, who = ?5, reason = ?6",
                )?
                .execute(params![plugin, version.to_string(), digest.as_str(), now(), author.who, reason])?;
            connection
                .prepare_cached(
                    "DELETE FROM component_failure WHERE plugin = ?1 AND version NOT IN
                     (SELECT version FROM component_failure WHERE plugin = ?1 ORDER BY at DESC LIMIT ?2)",
                )?
                .execute(params![plugin, FAILURES_KEPT])?;
            connection
                .prepare_cached(
                    "DELETE FROM component_failure WHERE plugin NOT IN
                     (SELECT plugin FROM component_failure GROUP BY plugin ORDER BY MAX(at) DESC LIMIT ?1)",
                )?
                .execute([FAILING_KEPT])?;
            Ok(())
        })
    }

    /// Forgets which versions of a plugin could not be installed. Whether there was any.
    pub fn forget_failures(&self, plugin: &str) -> Result<bool, Error> {
        self.as_writer(|connection| {
            let mut forget = connection.prepare_cached("DELETE FROM component_failure WHERE plugin = ?1")?;
            Ok(forget.execute([plugin])? > 0)
        })
    }

    /// The plugins of which a version could not be installed, by name.
    pub fn failing_plugins(&self) -> Result<Vec<String>, Error> {
        self.read(|connection| {
            let mut find =
                connection.prepare_cached("SELECT DISTINCT plugin FROM component_failure ORDER BY plugin")?;
            let found = find.query_map([], |row| row.get(0))?;
            Ok(found.collect::<Result<_, _>>()?)
        })
    }

    /// The versions of a plugin that could not be installed, the last first.
    pub fn failed_versions(&self, plugin: &str) -> Result<Vec<FailedVersion>, Error> {
        self.read(|connection| {
            let mut find = connection.prepare_cached(
                "SELECT version, digest, at, who, reason FROM component_failure WHERE plugin = ?1 ORDER BY at DESC, version",
            )?;
            let mut found = find.query([plugin])?;
            let mut failures = Vec::new();
            while let Some(row) = found.next()? {
                failures.push(FailedVersion {
                    version: row.get::<_, String>(0)?.parse().map_err(rows::corrupt)?,
                    digest: row.get::<_, String>(1)?.parse().map_err(rows::corrupt)?,
                    at: rows::timestamp(&row.get::<_, String>(2)?)?,
                    who: row.get(3)?,
                    reason: row.get(4)?,
                });
            }
            Ok(failures)
        })
    }
}

fn insert(connection: &Connection, component: &Component, revision: Revision, author: &Author) -> Result<(), Error> {
    let Component { digest, plugin, version, bytes, duties } = component;
    let version = version.to_string();
    connection
        .prepare_cached(
            "INSERT INTO component (digest, plugin, version, at, who, size, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (digest) DO NOTHING",
        )?
        .execute(params![digest.as_str(), plugin, version, now(), author.who, bytes.len(), bytes])?;
    connection
        .prepare_cached("DELETE FROM component_failure WHERE plugin = ?1 AND version = ?2")?
        .execute(params![plugin, version])?;
    declare(connection, digest, plugin, duties, revision)
}

fn now() -> String {
    jiff::Timestamp::now().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Kind, Plugin};
    use crate::store::Change;

    fn author() -> Author {
        Author::new("ada", "")
    }

    fn component(byte: char, version: &str) -> Component {
        let digest = byte.to_string().repeat(64).parse().unwrap();
        let (plugin, version) = ("contoso/desk".to_owned(), version.parse().unwrap());
        Component { digest, plugin, version, bytes: vec![1, 2, 3], duties: Duties::default() }
    }

    fn naming(component: &Component) -> ChangeSet {
        let versions = [(component.version, component.digest.clone())].into();
        let plugin = Plugin { versions, active: Some(component.version), ..Plugin::default() };
        ChangeSet::new([Change::put("contoso/desk", plugin)])
    }

    #[test]
    fn a_component_comes_with_the_revision_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let first = component('a', "1.0.0");
        let done = store.install(std::slice::from_ref(&first), naming(&first), &author()).unwrap();
        assert_eq!(store.component(&first.digest).unwrap().as_deref(), Some(&[1, 2, 3][..]));
        let record = store.component_record(&first.digest).unwrap().unwrap();
        assert_eq!((record.who.as_str(), record.size), ("ada", 3));
        let snapshot = store.snapshot_at(done.revision).unwrap();
        let plugin = snapshot.get(&"contoso/desk".parse::<crate::domain::Name<Plugin>>().unwrap());
        assert_eq!(plugin.and_then(Plugin::serving).map(|(_, digest)| digest.clone()), Some(first.digest.clone()));

        let second = component('b', "1.1.0");
        let mut wrong = naming(&second);
        let gone = Change::Delete { kind: Kind::Script, name: "no".into(), expect: Default::default(), force: false };
        wrong.changes.push(gone);
        store.install(std::slice::from_ref(&second), wrong, &author()).unwrap_err();
        assert_eq!(store.component(&second.digest).unwrap(), None, "refused changes leave no component behind");
    }

    #[test]
    fn a_failure_is_remembered_until_the_version_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let (bad, good) = (component('a', "1.0.0"), component('b', "1.0.0"));
        for reason in ["it loops", "it traps"] {
            store.keep_failure(&bad.plugin, bad.version, &bad.digest, reason, &author()).unwrap();
        }
        let reasons = |store: &Store| -> Vec<String> {
            store.failed_versions("contoso/desk").unwrap().into_iter().map(|failure| failure.reason).collect()
        };
        assert_eq!(reasons(&store), ["it traps"]);
        store.install(std::slice::from_ref(&good), naming(&good), &author()).unwrap();
        assert!(reasons(&store).is_empty());
        for minor in 0..30 {
            let version = PluginVersion { major: 2, minor, patch: 0 };
            store.keep_failure("contoso/desk", version, &bad.digest, "no", &author()).unwrap();
        }
        assert_eq!(reasons(&store).len(), 20, "nobody fills the database with failures");
        for number in 0..120 {
            let reason = "no".repeat(10_000);
            store.keep_failure(&format!("contoso/a{number}"), bad.version, &bad.digest, &reason, &author()).unwrap();
        }
        assert_eq!(store.failing_plugins().unwrap().len(), 100, "nor with names");
        assert_eq!(store.failed_versions("contoso/a119").unwrap()[0].reason.len(), 2_000);
        assert!(store.forget_failures("contoso/a119").unwrap() && !store.forget_failures("contoso/a119").unwrap());
    }
}
