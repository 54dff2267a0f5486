//! Components of plugins, by digest.
//!
//! The items of the collection `plugins` say, at each revision, which components serve; this module only keeps the
//! components they name. A component is written in the transaction of the first revision that names it, and never
//! changes. Bytes that do not fit their digest, as in a database that was restored in part or edited, are never handed
//! out. If the same component is installed again, it replaces them. The manifest of a component is kept beside it, so
//! that the duties of a lost component stay known.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;

use crate::domain::revision::Author;
use crate::domain::{Digest, Duties, PluginVersion, Revision};

use super::component_kinds::declare;
use super::end::End;
use super::{ChangeSet, Committed, Error, Store, rows};

/// A component to be kept.
#[derive(Debug, Clone)]
pub struct Component {
    /// The digest, which identifies the component.
    pub digest: Digest,
    /// The plugin, as `publisher/name`.
    pub plugin: String,
    /// The version of the plugin.
    pub version: PluginVersion,
    /// The manifest, as it stands in the component.
    pub manifest: String,
    /// The bytes of the component.
    pub bytes: Vec<u8>,
    /// The tool kinds that the component declares.
    pub duties: Duties,
}

/// Why the bytes of a component are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// The database has no bytes.
    #[error("its component is gone")]
    Gone,
    /// The database has other bytes.
    #[error("its component is damaged: what the database has does not fit the digest it was installed under")]
    Damaged,
}

/// The manifest that a component had when it was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptManifest {
    /// The text of the manifest.
    pub text: String,
    /// The size of the component, in bytes.
    pub size: u64,
}

/// The record of a component that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentRecord {
    /// The digest, which identifies the component.
    pub digest: Digest,
    /// When it was installed.
    pub at: jiff::Timestamp,
    /// The author who installed it.
    pub who: String,
    /// The size of the component, in bytes.
    pub size: u64,
}

/// A version that could not be installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = FailedPluginVersion)]
pub struct FailedVersion {
    /// The version.
    pub version: PluginVersion,
    /// The digest of the component.
    pub digest: Digest,
    /// The time of the attempt.
    #[schema(value_type = String, format = DateTime)]
    pub at: jiff::Timestamp,
    /// The author of the attempt.
    pub who: String,
    /// Why the component cannot be used.
    pub reason: String,
}

/// The most failed versions that are kept for one plugin.
const FAILURES_KEPT: u32 = 20;

/// The most plugins with failed versions that are kept. A component can invent the name of its plugin.
const FAILING_KEPT: u32 = 100;

/// The most characters of a reason that are kept.
const LONGEST_REASON: usize = 2_000;

impl Store {
    /// Carries out `changes` and keeps `components`, all or none.
    pub fn install(&self, components: &[Component], changes: ChangeSet, author: &Author) -> Result<Committed, Error> {
        let keep = |connection: &Connection, committed: &Committed| {
            components.iter().try_for_each(|component| insert(connection, component, committed.revision, author))
        };
        self.attempt(changes, author, End::Keep(&keep))
    }

    /// Returns the bytes of a component, if they fit its digest.
    pub fn component(&self, digest: &Digest) -> Result<Result<Vec<u8>, Lost>, Error> {
        let found: Option<Vec<u8>> = self.read(|connection| {
            let mut find = connection.prepare_cached("SELECT bytes FROM component WHERE digest = ?1")?;
            Ok(find.query_row([digest.as_str()], |row| row.get(0)).optional()?)
        })?;
        Ok(match found {
            Some(bytes) if Digest::of(&bytes) == *digest => Ok(bytes),
            Some(_) => Err(Lost::Damaged),
            None => Err(Lost::Gone),
        })
    }

    /// Returns the manifest of a component, also if the component itself is lost by now.
    pub fn component_manifest(&self, digest: &Digest) -> Result<Option<KeptManifest>, Error> {
        self.read(|connection| {
            let mut find =
                connection.prepare_cached("SELECT manifest, size FROM component_manifest WHERE digest = ?1")?;
            let kept = |row: &rusqlite::Row<'_>| Ok(KeptManifest { text: row.get(0)?, size: row.get(1)? });
            Ok(find.query_row([digest.as_str()], kept).optional()?)
        })
    }

    /// Returns the components whose manifest is not kept: those of older versions of this program.
    pub fn components_without_manifest(&self) -> Result<Vec<Digest>, Error> {
        self.read(|connection| {
            let mut find = connection.prepare_cached(
                "SELECT digest FROM component WHERE digest NOT IN (SELECT digest FROM component_manifest) ORDER BY digest",
            )?;
            let mut found = find.query([])?;
            let mut digests = Vec::new();
            while let Some(row) = found.next()? {
                digests.push(row.get::<_, String>(0)?.parse().map_err(rows::corrupt)?);
            }
            Ok(digests)
        })
    }

    /// Keeps the manifest of a component.
    pub fn keep_manifest(&self, digest: &Digest, manifest: &KeptManifest) -> Result<(), Error> {
        self.as_writer(|connection| insert_manifest(connection, digest, manifest.size, &manifest.text))
    }

    /// Returns the record of a component.
    pub fn component_record(&self, digest: &Digest) -> Result<Option<ComponentRecord>, Error> {
        self.read(|connection| {
            let mut find = connection.prepare_cached("SELECT at, who, size FROM component WHERE digest = ?1")?;
            let mut found = find.query([digest.as_str()])?;
            let Some(row) = found.next()? else { return Ok(None) };
            let at = rows::timestamp(&row.get::<_, String>(0)?)?;
            Ok(Some(ComponentRecord { digest: digest.clone(), at, who: row.get(1)?, size: row.get(2)? }))
        })
    }

    /// Returns the components that are kept, with their sizes in bytes.
    pub fn component_sizes(&self) -> Result<Vec<(Digest, u64)>, Error> {
        self.read(sizes)
    }

    /// Deletes the oldest components that are not `named` by the revision `newest`, until at most `most` bytes are
    /// kept. Returns how many it deleted: none if another revision is the newest, because that may name others.
    pub fn forget_components(&self, newest: Revision, named: &HashSet<Digest>, most: u64) -> Result<u64, Error> {
        let kept = |sizes: &[(Digest, u64)]| sizes.iter().map(|(_, size)| size).sum::<u64>();
        if kept(&self.component_sizes()?) <= most {
            return Ok(0);
        }
        self.as_writer(|connection| {
            let sizes = sizes(connection)?;
            let (mut left, mut gone) = (kept(&sizes), 0);
            if rows::newest(connection)? != newest {
                return Ok(0);
            }
            for (digest, size) in sizes.iter().filter(|(digest, _)| !named.contains(digest)) {
                if left <= most {
                    break;
                }
                connection.prepare_cached("DELETE FROM component WHERE digest = ?1")?.execute([digest.as_str()])?;
                (left, gone) = (left - size, gone + 1);
            }
            Ok(gone)
        })
    }

    /// Keeps the failure of a version that could not be installed. The version that served goes on serving.
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

    /// Deletes the failures of a plugin. Returns whether there were any.
    pub fn forget_failures(&self, plugin: &str) -> Result<bool, Error> {
        self.as_writer(|connection| {
            let mut forget = connection.prepare_cached("DELETE FROM component_failure WHERE plugin = ?1")?;
            Ok(forget.execute([plugin])? > 0)
        })
    }

    /// Returns the plugins with a version that could not be installed, by name.
    pub fn failing_plugins(&self) -> Result<Vec<String>, Error> {
        self.read(|connection| {
            let mut find =
                connection.prepare_cached("SELECT DISTINCT plugin FROM component_failure ORDER BY plugin")?;
            let found = find.query_map([], |row| row.get(0))?;
            Ok(found.collect::<Result<_, _>>()?)
        })
    }

    /// Returns the versions of a plugin that could not be installed, the latest attempt first.
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

/// Returns the components that are kept, the oldest first, with their sizes in bytes.
fn sizes(connection: &Connection) -> Result<Vec<(Digest, u64)>, Error> {
    let mut find = connection.prepare_cached("SELECT digest, size FROM component ORDER BY at, digest")?;
    let mut found = find.query([])?;
    let mut sizes = Vec::new();
    while let Some(row) = found.next()? {
        sizes.push((row.get::<_, String>(0)?.parse().map_err(rows::corrupt)?, row.get(1)?));
    }
    Ok(sizes)
}

fn insert(connection: &Connection, component: &Component, revision: Revision, author: &Author) -> Result<(), Error> {
    let Component { digest, plugin, version, manifest, bytes, duties } = component;
    let version = version.to_string();
    connection
        .prepare_cached(
            "INSERT INTO component (digest, plugin, version, at, who, size, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (digest) DO UPDATE SET size = excluded.size, bytes = excluded.bytes
             WHERE component.bytes <> excluded.bytes",
        )?
        .execute(params![digest.as_str(), plugin, version, now(), author.who, bytes.len(), bytes])?;
    insert_manifest(connection, digest, bytes.len() as u64, manifest)?;
    connection
        .prepare_cached("DELETE FROM component_failure WHERE plugin = ?1 AND version = ?2")?
        .execute(params![plugin, version])?;
    declare(connection, digest, plugin, duties, revision)
}

fn insert_manifest(connection: &Connection, digest: &Digest, size: u64, manifest: &str) -> Result<(), Error> {
    connection
        .prepare_cached(
            "INSERT INTO component_manifest (digest, size, manifest) VALUES (?1, ?2, ?3) ON CONFLICT (digest) DO NOTHING",
        )?
        .execute(params![digest.as_str(), size, manifest])?;
    Ok(())
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
        let bytes = byte.to_string().into_bytes();
        let (digest, manifest) = (Digest::of(&bytes), format!("[{byte}]"));
        let (plugin, version) = ("contoso/desk".to_owned(), version.parse().unwrap());
        Component { digest, plugin, version, manifest, bytes, duties: Duties::default() }
    }

    fn naming(component: &Component) -> ChangeSet {
        let versions = [(component.version, component.digest.clone())].into();
        let plugin = Plugin { versions, active: Some(component.version), ..Plugin::default() };
        ChangeSet::new([Change::put("contoso/desk", plugin)])
    }

    #[test]
    fn of_too_many_components_the_oldest_go_that_nothing_names() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let all: Vec<_> = [('a', "1.0.0"), ('b', "1.0.1"), ('c', "1.0.2"), ('d', "1.0.3")]
            .map(|(byte, version)| component(byte, version))
            .into();
        for component in &all {
            store.install(std::slice::from_ref(component), naming(component), &author()).unwrap();
        }
        let (named, newest) = ([all[0].digest.clone()].into(), store.newest().unwrap());
        assert_eq!(store.forget_components(newest, &named, 4).unwrap(), 0, "there is room for four bytes");
        assert_eq!(store.forget_components(Revision(1), &named, 0).unwrap(), 0, "another revision is the newest");
        assert_eq!(store.forget_components(newest, &named, 2).unwrap(), 2);
        let left: HashSet<Digest> = store.component_sizes().unwrap().into_iter().map(|(digest, _)| digest).collect();
        assert_eq!(left, [all[0].digest.clone(), all[3].digest.clone()].into(), "the named one, and the newest");
        assert_eq!(store.forget_components(newest, &named, 0).unwrap(), 1);
    }

    #[test]
    fn a_component_comes_with_the_revision_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let first = component('a', "1.0.0");
        let done = store.install(std::slice::from_ref(&first), naming(&first), &author()).unwrap();
        assert_eq!(store.component(&first.digest).unwrap().as_deref(), Ok(&b"a"[..]));
        let record = store.component_record(&first.digest).unwrap().unwrap();
        assert_eq!((record.who.as_str(), record.size), ("ada", 1));
        let snapshot = store.snapshot_at(done.revision).unwrap();
        let plugin = snapshot.get(&"contoso/desk".parse::<crate::domain::Name<Plugin>>().unwrap());
        assert_eq!(plugin.and_then(Plugin::serving).map(|(_, digest)| digest.clone()), Some(first.digest.clone()));

        let second = component('b', "1.1.0");
        let mut wrong = naming(&second);
        let gone = Change::Delete { kind: Kind::Script, name: "no".into(), expect: Default::default(), force: false };
        wrong.changes.push(gone);
        store.install(std::slice::from_ref(&second), wrong, &author()).unwrap_err();
        assert_eq!(
            store.component(&second.digest).unwrap(),
            Err(Lost::Gone),
            "refused changes leave no component behind"
        );
    }

    #[test]
    fn bytes_that_do_not_fit_are_not_handed_out_until_the_component_is_installed_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let whole = component('a', "1.0.0");
        let install = || store.install(std::slice::from_ref(&whole), naming(&whole), &author()).unwrap();
        let said = || store.component_manifest(&whole.digest).unwrap().map(|kept| (kept.text, kept.size));
        install();
        for (damage, lost) in [
            ("UPDATE component SET bytes = x'62'", Lost::Damaged),
            ("UPDATE component SET bytes = x''", Lost::Damaged),
            ("DELETE FROM component", Lost::Gone),
        ] {
            store.as_writer(|connection| Ok(connection.execute(damage, [])?)).unwrap();
            assert_eq!(store.component(&whole.digest).unwrap(), Err(lost), "after {damage}");
            assert_eq!(said(), Some(("[a]".to_owned(), 1)), "after {damage}");
            install();
            assert_eq!(store.component(&whole.digest).unwrap().as_deref(), Ok(&b"a"[..]), "after {damage}");
        }
        store.as_writer(|connection| Ok(connection.execute("DELETE FROM component_manifest", [])?)).unwrap();
        assert_eq!(store.components_without_manifest().unwrap(), std::slice::from_ref(&whole.digest));
        store.keep_manifest(&whole.digest, &KeptManifest { text: "[a]".to_owned(), size: 1 }).unwrap();
        assert_eq!((store.components_without_manifest().unwrap().len(), said().is_some()), (0, true));
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
        assert_eq!(reasons(&store).len(), 20, "failures do not fill the database");
        for number in 0..120 {
            let reason = "no".repeat(10_000);
            store.keep_failure(&format!("contoso/a{number}"), bad.version, &bad.digest, &reason, &author()).unwrap();
        }
        assert_eq!(store.failing_plugins().unwrap().len(), 100, "nor with names");
        assert_eq!(store.failed_versions("contoso/a119").unwrap()[0].reason.len(), 2_000);
        assert!(store.forget_failures("contoso/a119").unwrap() && !store.forget_failures("contoso/a119").unwrap());
    }
}
