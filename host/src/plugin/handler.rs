//! A step in changes of configuration that is ready to be asked: a fresh instance for each event.

use std::sync::Arc;

use crate::pipeline::{Event, Outcome, Registration, StepFault};
use crate::resolve::{Facts, Reads};
use crate::store::Snapshot;

use super::call::{self, CallError};
use super::engine::Engine;
use super::limits::{Exceeded, Limits};
use super::trap;
use super::v0_1::configuration::Handler as Prepared;

/// A component that handles events.
pub(super) struct Handler {
    pub(super) label: Arc<str>,
    pub(super) limits: Limits,
    pub(super) prepared: Prepared,
}

impl Handler {
    pub(super) fn execute(
        &self,
        engine: &Engine,
        step: &Registration,
        event: &Event,
        library: &Arc<Snapshot>,
    ) -> Result<Outcome, StepFault> {
        let Some(_slot) = engine.slot() else { return Err(fault(&CallError::Busy(engine.config.patience))) };
        let reads = Reads::new(Arc::clone(library), Arc::new(Facts::default()));
        let mut store = call::store(engine, &self.label, &self.limits, reads);
        let instance = self.prepared.instantiate(&mut store);
        let answer = instance.and_then(|instance| instance.execute(&mut store, &step.step, &step.configuration, event));
        call::report(store.data());
        match answer {
            Ok(Ok(Outcome::Proceed(proposal))) if proposal.patches.len() > self.limits.items => {
                let (found, limit) = (proposal.patches.len(), self.limits.items);
                Err(fault(&Exceeded::Items { found, limit }.into()))
            }
            Ok(answer) => answer,
            Err(error) => Err(fault(&trap::explain(&error, store.data(), &self.limits))),
        }
    }
}

fn fault(error: &CallError) -> StepFault {
    StepFault { code: error.code().to_owned(), message: error.to_string(), retry_after: None }
}
