//! The tool kinds that components declare, those of deleted plugins included.
//!
//! They are written in the transaction that keeps a component. For a component from a program version without this
//! table, the caller adds them at the next start.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use crate::domain::{Digest, Duties, Revision};

use super::{Error, Store, rows};

/// The tool kinds that a component declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// The plugin, as `publisher/name`.
    pub plugin: String,
    /// The tool kinds, by part.
    pub duties: Duties,
}

/// The names of the parts of duties in the table.
const PARTS: [&str; 3] = ["rule", "guard", "step"];

impl Store {
    /// Returns the declarations of components that exist at `revision`, by digest. Leaves out components that declare
    /// no tool kind.
    pub fn declared_kinds(&self, revision: Revision) -> Result<BTreeMap<Digest, Declared>, Error> {
        self.read(|connection| {
            let mut find = connection.prepare_cached(
                "SELECT digest, part, kind, plugin FROM component_kind WHERE since <= ?1 AND kind <> ''",
            )?;
            let mut found = find.query([revision.0])?;
            let mut declared: BTreeMap<Digest, Declared> = BTreeMap::new();
            while let Some(row) = found.next()? {
                let digest = row.get::<_, String>(0)?.parse().map_err(rows::corrupt)?;
                let (part, kind): (String, String) = (row.get(1)?, row.get(2)?);
                let plugin = row.get(3)?;
                let of = declared.entry(digest).or_insert_with(|| Declared { plugin, duties: Duties::default() });
                match PARTS.iter().position(|known| *known == part) {
                    Some(0) => of.duties.rules.insert(kind),
                    Some(1) => of.duties.guards.insert(kind),
                    _ => of.duties.steps.insert(kind),
                };
            }
            Ok(declared)
        })
    }

    /// Returns the number of declarations at `revision`. A caller compares it to find out whether later declarations
    /// exist.
    pub fn count_declared_kinds(&self, revision: Revision) -> Result<u64, Error> {
        self.read(|connection| {
            let mut count = connection.prepare_cached("SELECT COUNT(*) FROM component_kind WHERE since <= ?1")?;
            Ok(count.query_row([revision.0], |row| row.get(0))?)
        })
    }

    /// Returns the components whose declarations are not recorded, each with its plugin.
    pub fn undeclared_components(&self) -> Result<Vec<(Digest, String)>, Error> {
        self.read(|connection| {
            let mut find = connection.prepare_cached(
                "SELECT digest, plugin FROM component WHERE digest NOT IN (SELECT digest FROM component_kind)",
            )?;
            let mut found = find.query([])?;
            let mut components = Vec::new();
            while let Some(row) = found.next()? {
                components.push((row.get::<_, String>(0)?.parse().map_err(rows::corrupt)?, row.get(1)?));
            }
            Ok(components)
        })
    }

    /// Records the declarations of a component that was kept before this table existed.
    pub fn declare_kinds(&self, digest: &Digest, plugin: &str, duties: &Duties) -> Result<(), Error> {
        self.as_writer(|connection| declare(connection, digest, plugin, duties, Revision::default()))
    }
}

/// Records the declarations of a component, from `since` on. Declarations that are recorded already stay.
pub(super) fn declare(
    connection: &Connection,
    digest: &Digest,
    plugin: &str,
    duties: &Duties,
    since: Revision,
) -> Result<(), Error> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO component_kind (digest, part, kind, plugin, since) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (digest, part, kind) DO NOTHING",
    )?;
    let Duties { rules, guards, steps } = duties;
    for (part, kinds) in PARTS.into_iter().zip([rules, guards, steps]) {
        for kind in kinds {
            insert.execute(params![digest.as_str(), part, kind, plugin, since.0])?;
        }
    }
    if duties.is_empty() {
        insert.execute(params![digest.as_str(), "", "", plugin, since.0])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Plugin;
    use crate::domain::revision::Author;
    use crate::store::{Change, ChangeSet, Component};

    fn component(byte: char, kinds: &str) -> Component {
        let bytes = byte.to_string().into_bytes();
        Component {
            digest: Digest::of(&bytes),
            plugin: format!("contoso/{byte}"),
            version: "1.0.0".parse().unwrap(),
            manifest: String::new(),
            bytes,
            duties: Duties { rules: kinds.split_whitespace().map(str::to_owned).collect(), ..Duties::default() },
        }
    }

    #[test]
    fn what_was_declared_stays_known_from_the_revision_that_brought_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let author = Author::new("ada", "");
        let mut revisions = vec![store.newest().unwrap()];
        for component in [component('a', "macros"), component('b', ""), component('c', "macros scripts")] {
            let versions = [(component.version, component.digest.clone())].into();
            let change = Change::put(component.plugin.clone(), Plugin { versions, ..Plugin::default() });
            let done = store.install(std::slice::from_ref(&component), ChangeSet::new([change]), &author).unwrap();
            revisions.push(done.revision);
        }
        let known = |at: usize| {
            let declared = store.declared_kinds(revisions[at]).unwrap();
            let mut all: Vec<_> = declared.values().map(|it| format!("{}: {:?}", it.plugin, it.duties.rules)).collect();
            all.sort();
            all.join("; ")
        };
        assert_eq!(known(0), "");
        assert_eq!(known(2), r#"contoso/a: {"macros"}"#);
        assert_eq!(known(3), r#"contoso/a: {"macros"}; contoso/c: {"macros", "scripts"}"#);
        assert_eq!(
            revisions.iter().map(|at| store.count_declared_kinds(*at).unwrap()).collect::<Vec<_>>(),
            [0, 1, 2, 4]
        );
        assert!(store.undeclared_components().unwrap().is_empty(), "one that declares nothing was looked at, too");
    }
}
