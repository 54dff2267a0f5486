//! A step in changes of configuration that is ready to be asked: a fresh instance for each event.

use std::sync::Arc;

use wasmtime::Store;

use crate::domain::trace;
use crate::domain::trace::{Caller, Component};
use crate::pipeline::{Event, Mode, Outcome, Registration, StepFault};
use crate::plugin::sandbox::call::{self as sandbox, CallBudget, Callee};
use crate::resolve::Reads;

use super::v0_1::configuration::PreparedConfigurationStep as Prepared;
use crate::plugin::engine::Engine;
use crate::plugin::guard::breaker::Source;
use crate::plugin::guard::budget::Share;
use crate::plugin::guard::{Guard, Permit};
use crate::plugin::limits::call_error::CallError;
use crate::plugin::limits::call_limits::Limits;
use crate::plugin::limits::exceeded::Exceeded;
use crate::plugin::limits::invalid::Invalid;
use crate::plugin::limits::weight::Weight;
use crate::plugin::outbound_access::gateway::Granted;
use crate::plugin::sandbox::state::State;
use crate::plugin::sandbox::trace::{Asked, CallSummary, Record};

/// A component that handles events.
pub(in crate::plugin) struct ConfigurationSteps {
    /// The plugin, as records name it.
    pub(in crate::plugin) component: Arc<Component>,
    pub(in crate::plugin) weight: Weight,
    pub(in crate::plugin) limits: Limits,
    pub(in crate::plugin) guard: Guard,
    pub(in crate::plugin) prepared: Prepared,
}

/// What a configuration step answers that can be believed, or how it broke and after how many seconds it would like to
/// be asked again.
type Answer = Result<Outcome, (CallError, Option<u32>)>;

impl ConfigurationSteps {
    /// Asks about an event. What was read comes along.
    pub(in crate::plugin) fn execute(
        &self,
        engine: &Engine,
        step: &Registration,
        event: &Event,
        reads: Reads,
        outside: &Arc<Granted>,
    ) -> (Result<Outcome, StepFault>, Reads) {
        let record = Record::begin(&self.component, asked(step, event), caller(event));
        let budget = CallBudget { limits: self.limits.lowered(step.limits.into()), outside, share: Share::Change };
        let (answer, (reads, summary)) = match self.enter(engine, step, &reads, budget) {
            Err(error) => (Err((error, None)), (reads, CallSummary::default())),
            Ok(permit) => {
                let ask = || self.ask(engine, &step.step, &step.configuration, event, reads, budget);
                let asked = record.span().in_scope(ask);
                permit.ended(asked.0.as_ref().err().map(|(error, _)| error), asked.1.1.waited);
                asked
            }
        };
        let answer = match answer {
            Ok(outcome) => {
                record.end_with(&*engine.config.watch, of(&outcome), None, summary);
                Ok(outcome)
            }
            Err((error, retry_after)) => {
                record.end(&*engine.config.watch, Some(&error), summary);
                let retry_after = error.retry_after().or(retry_after);
                Err(StepFault { code: error.code().to_owned(), message: error.public_message(), retry_after })
            }
        };
        (answer, reads)
    }

    /// Permit to ask, if the change may still cost something.
    fn enter(
        &self,
        engine: &Engine,
        step: &Registration,
        reads: &Reads,
        budget: CallBudget<'_>,
    ) -> Result<Permit<'_>, CallError> {
        budget.allowance(engine, reads).check()?;
        // Changes of one caller are not told from those of another.
        self.guard.enter(Some(&step.step), Source::UNKNOWN, budget.outside.may_wait())
    }

    /// Asks in a fresh instance, without a record. Nothing outside of the host is reached.
    pub(in crate::plugin) fn rehearse(
        &self,
        engine: &Engine,
        step: &str,
        configuration: &str,
        event: &Event,
        reads: Reads,
    ) -> (Result<Outcome, CallError>, (Reads, CallSummary)) {
        let budget = CallBudget { limits: self.limits, outside: &Arc::default(), share: Share::Alone };
        let (answer, left) = self.ask(engine, step, configuration, event, reads, budget);
        (answer.map_err(|(error, _)| error), left)
    }

    /// What was answered about an event cannot be carried out: a record of its own, and a fault like any other.
    pub(in crate::plugin) fn report_invalid(
        &self,
        engine: &Engine,
        step: &Registration,
        event: &Event,
        fault: &StepFault,
    ) {
        let record = Record::begin(&self.component, asked(step, event), caller(event));
        let error = CallError::Invalid(Invalid::Outcome(fault.message.clone()));
        record.end(&*engine.config.watch, Some(&error), CallSummary::default());
        self.guard.report_invalid(&step.step);
    }

    fn ask(
        &self,
        engine: &Engine,
        step: &str,
        configuration: &str,
        event: &Event,
        reads: Reads,
        budget: CallBudget<'_>,
    ) -> (Answer, (Reads, CallSummary)) {
        let callee = Callee { weight: self.weight, component: &self.component };
        let instantiate = |store: &mut Store<State>| self.prepared.instantiate(store);
        let (said, left) = sandbox::call(engine, callee, reads, budget, instantiate, |instance, store| {
            instance.execute(store, step, configuration, event)
        });
        let answer = match said {
            Ok(Ok(outcome)) => self.within(&outcome).map(|()| outcome),
            Ok(Err(error)) => Err(error),
            Err(error) => Err((error, None)),
        };
        (answer, left)
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
