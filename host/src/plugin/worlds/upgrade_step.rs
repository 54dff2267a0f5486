//! A step of upgrades that is ready to be asked: a fresh instance for each page.

use std::sync::Arc;

use wasmtime::Store;

use crate::domain::trace::{Caller, Component, Mode};
use crate::plugin::sandbox::call::{self as sandbox, CallBudget, Callee};
use crate::resolve::{Facts, Reads};
use crate::store::Snapshot;
use crate::upgrade::{Migration, Page, StepFault, StepInfo, StepNote};

use super::v0_1::upgrade::{PreparedUpgradeStep as Prepared, Said, StepInstance};
use crate::domain::message::{CONFIG_UPGRADE, MAIN_OPERATION, PRE_VALIDATION};
use crate::plugin::engine::Engine;
use crate::plugin::guard::budget::Share;
use crate::plugin::limits::call_error::CallError;
use crate::plugin::limits::call_limits::Limits;
use crate::plugin::limits::exceeded::Exceeded;
use crate::plugin::limits::invalid::quote;
use crate::plugin::limits::weight::Weight;
use crate::plugin::sandbox::state::State;
use crate::plugin::sandbox::trace::{Asked, CallSummary, Record};

/// A step that is ready to be asked.
pub(in crate::plugin) struct UpgradeStep {
    pub(in crate::plugin) info: StepInfo,
    /// The plugin, as records name it.
    pub(in crate::plugin) component: Arc<Component>,
    pub(in crate::plugin) weight: Weight,
    pub(in crate::plugin) limits: Limits,
    pub(in crate::plugin) prepared: Prepared,
}

impl UpgradeStep {
    pub(in crate::plugin) fn check(
        &self,
        engine: &Engine,
        page: &Page,
        library: &Arc<Snapshot>,
    ) -> Result<Vec<StepNote>, StepFault> {
        let question = |instance: &StepInstance, store: &mut Store<State>| instance.check(store, page);
        self.ask(engine, library, self.asked(page, PRE_VALIDATION), question, |_| 0)
    }

    pub(in crate::plugin) fn migrate(
        &self,
        engine: &Engine,
        page: &Page,
        library: &Arc<Snapshot>,
    ) -> Result<Migration, StepFault> {
        let question = |instance: &StepInstance, store: &mut Store<State>| instance.migrate(store, page);
        self.ask(engine, library, self.asked(page, MAIN_OPERATION), question, |answer| answer.upserts.len())
    }

    fn asked<'a>(&'a self, page: &'a Page, stage: u8) -> Asked<'a> {
        let resource = page.rows.first().map_or("", |row| &row.key.table);
        let (step, mode) = (Some(self.info.name.as_str()), Mode::Sync);
        Asked { message: CONFIG_UPGRADE, resource, stage, rank: None, mode, step, settings: None }
    }

    /// Asks in a fresh instance. `items` counts those of an answer.
    fn ask<T>(
        &self,
        engine: &Engine,
        library: &Arc<Snapshot>,
        asked: Asked<'_>,
        question: impl FnOnce(&StepInstance, &mut Store<State>) -> wasmtime::Result<Said<T>>,
        items: impl FnOnce(&T) -> usize,
    ) -> Result<T, StepFault> {
        let record = Record::begin(&self.component, asked, Caller::default());
        let reads = Reads::new(Arc::clone(library), Arc::new(Facts::default()));
        let (answer, (_, summary)) = record.span().in_scope(|| self.enter(engine, reads, question, items));
        record.end(&*engine.config.watch, answer.as_ref().err(), summary);
        answer.map_err(|error| self.fault(&error))
    }

    /// Lets the step migrate a page in a fresh instance, without a record.
    pub(in crate::plugin) fn rehearse(
        &self,
        engine: &Engine,
        page: &Page,
        reads: Reads,
    ) -> (Result<Migration, CallError>, (Reads, CallSummary)) {
        let question = |instance: &StepInstance, store: &mut Store<State>| instance.migrate(store, page);
        self.enter(engine, reads, question, |answer| answer.upserts.len())
    }

    fn enter<T>(
        &self,
        engine: &Engine,
        reads: Reads,
        question: impl FnOnce(&StepInstance, &mut Store<State>) -> wasmtime::Result<Said<T>>,
        items: impl FnOnce(&T) -> usize,
    ) -> (Result<T, CallError>, (Reads, CallSummary)) {
        let budget = CallBudget { limits: self.limits, outside: &Arc::default(), share: Share::Alone };
        let callee = Callee { weight: self.weight, component: &self.component };
        let instantiate = |store: &mut Store<State>| self.prepared.instantiate(store);
        let (said, left) = sandbox::call(engine, callee, reads, budget, instantiate, question);
        let answer = said.and_then(|said| match said {
            Ok(answer) => self.within(items(&answer)).map(|()| answer),
            Err((code, message)) => Err(CallError::Failed { code: quote(&code), message: quote(&message) }),
        });
        (answer, left)
    }

    fn within(&self, found: usize) -> Result<(), CallError> {
        let limit = self.limits.items;
        if found > limit { Err(Exceeded::Items { found, limit }.into()) } else { Ok(()) }
    }

    /// Returns the fault in the step's own words, too: an administrator who runs an upgrade sees every row of it.
    fn fault(&self, error: &CallError) -> StepFault {
        StepFault { step: self.info.label(), code: error.code().to_owned(), message: error.to_string() }
    }
}
