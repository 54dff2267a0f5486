//! The world `upgrade` of `loadout:plugin@0.1`: pages in, proposals out. Its imports are those of the world `tool`.

use wasmtime::Store;
use wasmtime::component::{Component, Linker};

use crate::domain::{Row, RowKey};
use crate::upgrade::{Migration, Page, Quarantined, StepNote, Upsert};

use super::State;

mod generated {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "upgrade",
        with: {
            "loadout:plugin/library@0.1.0": crate::plugin::worlds::v0_1::generated::loadout::plugin::library,
            "loadout:plugin/trace@0.1.0": crate::plugin::worlds::v0_1::generated::loadout::plugin::trace,
        },
    });
}

use generated::exports::loadout::plugin::upgrade_step as step;

/// A component that is ready to be asked.
pub(in crate::plugin) struct PreparedUpgradeStep(generated::UpgradePre<State>);

/// An instance of it.
pub(in crate::plugin) struct StepInstance(generated::Upgrade);

/// What a step answers, unless it says with a code and a sentence that it cannot.
pub(in crate::plugin) type Said<T> = Result<T, (String, String)>;

impl PreparedUpgradeStep {
    /// Binds a component to its imports.
    pub(in crate::plugin) fn new(linker: &Linker<State>, component: &Component) -> wasmtime::Result<Self> {
        Ok(Self(generated::UpgradePre::new(linker.instantiate_pre(component)?)?))
    }

    /// Makes an instance, which runs its start code.
    pub(in crate::plugin) fn instantiate(&self, store: &mut Store<State>) -> wasmtime::Result<StepInstance> {
        self.0.instantiate(store).map(StepInstance)
    }
}

impl StepInstance {
    /// Asks for a look at a page.
    pub(in crate::plugin) fn check(
        &self,
        store: &mut Store<State>,
        page: &Page,
    ) -> wasmtime::Result<Said<Vec<StepNote>>> {
        let answer = self.0.loadout_plugin_upgrade_step().call_check(store, &lowered(page))?;
        Ok(answer.map(|notes| notes.into_iter().map(Into::into).collect()).map_err(|it| (it.code, it.message)))
    }

    /// Asks for the migration of a page.
    pub(in crate::plugin) fn migrate(
        &self,
        store: &mut Store<State>,
        page: &Page,
    ) -> wasmtime::Result<Said<Migration>> {
        let answer = self.0.loadout_plugin_upgrade_step().call_migrate(store, &lowered(page))?;
        Ok(answer.map(Into::into).map_err(|it| (it.code, it.message)))
    }
}

fn lowered(page: &Page) -> step::Page {
    let rows = |rows: &[Row]| rows.iter().map(row).collect();
    step::Page { rows: rows(&page.rows), related: rows(&page.related) }
}

fn row(row: &Row) -> step::Row {
    let look_ups = row.look_ups.iter().cloned();
    let look_ups = look_ups.map(|it| step::LookUp { column: it.column, table: it.table, id: it.id, label: it.label });
    let links = row.links.iter().cloned();
    let links = links.map(|it| step::Link { relationship: it.relationship, table: it.table, id: it.id });
    step::Row {
        table: row.key.table.clone(),
        id: row.key.id.clone(),
        values: row.values.clone(),
        look_ups: look_ups.collect(),
        links: links.collect(),
    }
}

impl From<step::Migration> for Migration {
    fn from(migration: step::Migration) -> Self {
        let upserts = migration.upserts.into_iter().map(|it| Upsert {
            kind: it.kind,
            name: it.unique_name,
            aliases: it.aliases,
            merges: it.merges,
            attributes: it.attributes,
            sources: it.sources.into_iter().map(Into::into).collect(),
        });
        let quarantine = migration.quarantine.into_iter();
        let quarantine = quarantine.map(|it| Quarantined { row: it.row.into(), code: it.code, reason: it.reason });
        Self {
            upserts: upserts.collect(),
            quarantine: quarantine.collect(),
            notes: migration.notes.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<step::Note> for StepNote {
    fn from(note: step::Note) -> Self {
        Self { code: note.code, row: note.row.map(Into::into), message: note.message }
    }
}

impl From<step::RowReference> for RowKey {
    fn from(reference: step::RowReference) -> Self {
        Self { table: reference.table, id: reference.id }
    }
}
