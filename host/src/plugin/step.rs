//! A step of upgrades that is ready to be asked: a fresh instance for each page.

use std::sync::Arc;

use crate::resolve::{Facts, Reads};
use crate::store::Snapshot;
use crate::upgrade::{Migration, Page, StepFault, StepInfo, StepNote};

use super::call::{self, CallError};
use super::engine::Engine;
use super::limits::{Exceeded, Limits};
use super::trap;
use super::v0_1::upgrade::{Said, Step as Prepared, StepInstance};

/// A step that is ready to be asked.
pub(super) struct Step {
    pub(super) info: StepInfo,
    pub(super) label: Arc<str>,
    pub(super) limits: Limits,
    pub(super) prepared: Prepared,
}

impl Step {
    pub(super) fn check(
        &self,
        engine: &Engine,
        page: &Page,
        library: &Arc<Snapshot>,
    ) -> Result<Vec<StepNote>, StepFault> {
        self.ask(engine, library, |instance, store| instance.check(store, page))
    }

    pub(super) fn migrate(
        &self,
        engine: &Engine,
        page: &Page,
        library: &Arc<Snapshot>,
    ) -> Result<Migration, StepFault> {
        let migration: Migration = self.ask(engine, library, |instance, store| instance.migrate(store, page))?;
        let found = migration.upserts.len();
        if found > self.limits.items {
            let limit = self.limits.items;
            return Err(self.fault(&Exceeded::Items { found, limit }.into()));
        }
        Ok(migration)
    }

    fn ask<T>(
        &self,
        engine: &Engine,
        library: &Arc<Snapshot>,
        question: impl FnOnce(&StepInstance, &mut wasmtime::Store<super::state::State>) -> wasmtime::Result<Said<T>>,
    ) -> Result<T, StepFault> {
        let Some(_slot) = engine.slot() else { return Err(self.fault(&CallError::Busy(engine.config.patience))) };
        let reads = Reads::new(Arc::clone(library), Arc::new(Facts::default()));
        let mut store = call::store(engine, &self.label, &self.limits, reads);
        let answer = self.prepared.instantiate(&mut store).and_then(|instance| question(&instance, &mut store));
        call::report(store.data());
        match answer {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err((code, message))) => Err(self.fault(&CallError::Failed { code, message })),
            Err(error) => Err(self.fault(&trap::explain(&error, store.data(), &self.limits))),
        }
    }

    fn fault(&self, error: &CallError) -> StepFault {
        StepFault { step: self.info.label(), code: error.code().to_owned(), message: error.to_string() }
    }
}
