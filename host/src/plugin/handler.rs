//! A step in changes of configuration that is ready to be asked: a fresh instance for each event.

use std::sync::Arc;
use std::time::Instant;

use wasmtime::Store;

use crate::domain::trace::{self, Caller, Component};
use crate::pipeline::{Event, Mode, Outcome, Registration, StepFault};
use crate::resolve::{Facts, Reads};
use crate::store::Snapshot;

use super::call::{self, CallError};
use super::decision::Invalid;
use super::engine::Engine;
use super::guard::Guard;
use super::limits::{Exceeded, Limits};
use super::outside::Outside;
use super::record::{Asked, Record, Remains, Times};
use super::state::State;
use super::v0_1::configuration::Handler as Prepared;

/// A component that handles events.
pub(super) struct Handler {
    /// The plugin, as records name it.
    pub(super) component: Arc<Component>,
    pub(super) limits: Limits,
    pub(super) guard: Guard,
    pub(super) prepared: Prepared,
}

/// What a handler answers that can be believed, or how it broke and after how many seconds it would like to be asked again.
type Answer = Result<Outcome, (CallError, Option<u32>)>;

impl Handler {
    pub(super) fn execute(
        &self,
        engine: &Engine,
        step: &Registration,
        event: &Event,
        library: &Arc<Snapshot>,
        outside: &Arc<Outside>,
    ) -> Result<Outcome, StepFault> {
        let record = Record::begin(&self.component, asked(step, event), caller(event));
        let (answer, remains) = match self.guard.enter(Some(&step.step)) {
            Err(error) => (Err((error, None)), Remains::default()),
            Ok(leave) => {
                let asked = record.span().in_scope(|| self.ask(engine, step, event, library, outside));
                leave.ended(asked.0.as_ref().err().map(|(error, _)| error));
                asked
            }
        };
        match answer {
            Ok(outcome) => {
                record.end_with(&*engine.config.watch, of(&outcome), None, remains);
                Ok(outcome)
            }
            Err((error, retry_after)) => {
                record.end(&*engine.config.watch, Some(&error), remains);
                let retry_after = match &error {
                    CallError::Suspended { seconds, .. } => u32::try_from(*seconds).ok(),
                    _ => retry_after,
                };
                Err(StepFault { code: error.code().to_owned(), message: error.to_string(), retry_after })
            }
        }
    }

    /// What was answered about an event cannot be carried out: a record of its own, and a fault like any other.
    pub(super) fn disbelieve(&self, engine: &Engine, step: &Registration, event: &Event, fault: &StepFault) {
        let record = Record::begin(&self.component, asked(step, event), caller(event));
        let error = CallError::Invalid(Invalid::Outcome(fault.message.clone()));
        record.end(&*engine.config.watch, Some(&error), Remains::default());
        self.guard.disbelieve(&step.step, &fault.message);
    }

    fn ask(
        &self,
        engine: &Engine,
        step: &Registration,
        event: &Event,
        library: &Arc<Snapshot>,
        outside: &Arc<Outside>,
    ) -> (Answer, Remains) {
        let Some(_slot) = engine.slot() else {
            return (Err((CallError::Busy(engine.config.patience), None)), Remains::default());
        };
        let reads = Reads::new(Arc::clone(library), Arc::new(Facts::default()));
        let mut store = call::store(engine, &self.component, &self.limits, reads, outside);
        let (answer, times) = self.answer(&mut store, step, event);
        (answer, call::remains(store, times).1)
    }

    fn answer(&self, store: &mut Store<State>, step: &Registration, event: &Event) -> (Answer, Times) {
        let (begun, mut times) = (Instant::now(), Times::default());
        let made = self.prepared.instantiate(store);
        times.instantiate = begun.elapsed();
        let said = made.and_then(|instance| instance.execute(store, &step.step, &step.configuration, event));
        times.run = begun.elapsed().saturating_sub(times.instantiate);
        let answer = match said {
            Ok(Ok(outcome)) => self.within(&outcome).map(|()| outcome),
            Ok(Err(error)) => Err(error),
            Err(error) => Err((call::explain(&error, store, &self.limits), None)),
        };
        (answer, times)
    }

    fn within(&self, outcome: &Outcome) -> Result<(), (CallError, Option<u32>)> {
        match outcome {
            Outcome::Proceed(proposal) if proposal.patches.len() > self.limits.items => {
                let (found, limit) = (proposal.patches.len(), self.limits.items);
                Err((Exceeded::Items { found, limit }.into(), None))
            }
            Outcome::Proceed(_) | Outcome::Reject(_) => Ok(()),
        }
    }
}

fn caller(event: &Event) -> Caller {
    Caller { request: event.request.clone(), ..Caller::default() }
}

/// What a record says was asked.
fn asked<'a>(step: &'a Registration, event: &'a Event) -> Asked<'a> {
    Asked {
        message: &event.message,
        resource: event.targets.first().map_or("", |target| &target.kind),
        stage: u8::try_from(event.stage).unwrap_or_default(),
        rank: Some(step.rank),
        mode: if step.mode == Mode::Async { trace::Mode::Async } else { trace::Mode::Sync },
        step: Some(&step.step),
        settings: Some(&step.configuration),
    }
}

fn of(outcome: &Outcome) -> trace::Outcome {
    match outcome {
        Outcome::Proceed(_) => trace::Outcome::Succeeded,
        Outcome::Reject(_) => trace::Outcome::Rejected,
    }
}

/// What a handler answered is no outcome.
pub(super) fn invalid(why: impl Into<String>) -> (CallError, Option<u32>) {
    (Invalid::Outcome(why.into()).into(), None)
}
