//! The world `upgrade`, and the bridge between it and the types authors see.

use std::cell::RefCell;
use std::marker::PhantomData;

use self::exports::loadout::plugin::upgrade_step as step;
use super::Imports;
use crate::Library;
use crate::upgrade::{Link, LookUp, Migration, Note, Page, Row, RowReference, UpgradeStep};

wit_bindgen::generate!({
    path: "../wit",
    world: "loadout:plugin/upgrade",
    pub_export_macro: true,
    export_macro_name: "export_upgrade_step",
    default_bindings_module: "loadout_sdk::bindings::upgrade",
    with: {
        "loadout:plugin/library@0.1.0": super::tool::loadout::plugin::library,
        "loadout:plugin/trace@0.1.0": super::tool::loadout::plugin::trace,
    },
});

/// A step as the world `upgrade` exports it.
pub struct Exported<T>(PhantomData<T>);

impl<T: UpgradeStep> step::Guest for Exported<T> {
    fn check(page: step::Page) -> Result<Vec<step::Note>, step::Fault> {
        let notes = T::check(&page.into(), &Library::new(&Imports));
        notes.map(|notes| notes.into_iter().map(Into::into).collect()).map_err(Into::into)
    }

    fn migrate(page: step::Page) -> Result<step::Migration, step::Fault> {
        T::migrate(&page.into(), &Library::new(&Imports)).map(Into::into).map_err(Into::into)
    }
}

impl From<step::Page> for Page {
    fn from(page: step::Page) -> Self {
        let rows = |rows: Vec<step::Row>| rows.into_iter().map(Into::into).collect();
        Self { rows: rows(page.rows), related: rows(page.related) }
    }
}

impl From<step::Row> for Row {
    fn from(row: step::Row) -> Self {
        let look_ups = row.look_ups.into_iter();
        let look_ups =
            look_ups.map(|it| LookUp { column: it.column, table: it.table, id: it.id, label: it.label }).collect();
        let links = row.links.into_iter();
        let links = links.map(|it| Link { relationship: it.relationship, table: it.table, id: it.id }).collect();
        Self { table: row.table, id: row.id, values: row.values, look_ups, links, read: RefCell::default() }
    }
}

impl From<Migration> for step::Migration {
    fn from(migration: Migration) -> Self {
        let upserts = migration.upserts.into_iter().map(|it| step::Upsert {
            kind: it.kind,
            unique_name: it.unique_name,
            aliases: it.aliases,
            merges: it.merges,
            attributes: it.attributes.to_string(),
            sources: it.sources.into_iter().map(Into::into).collect(),
        });
        let quarantine = migration.quarantine.into_iter();
        let quarantine =
            quarantine.map(|it| step::Quarantined { row: it.row.into(), code: it.code, reason: it.reason });
        Self {
            upserts: upserts.collect(),
            quarantine: quarantine.collect(),
            notes: migration.notes.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<Note> for step::Note {
    fn from(note: Note) -> Self {
        Self { code: note.code, row: note.row.map(Into::into), message: note.message }
    }
}

impl From<RowReference> for step::RowReference {
    fn from(reference: RowReference) -> Self {
        Self { table: reference.table, id: reference.id }
    }
}

lower_faults!(step::Fault);
