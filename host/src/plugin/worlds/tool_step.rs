//! Steps around rules that are ready to be asked: a fresh instance for each question.

use std::sync::Arc;

use wasmtime::Store;

use crate::domain::experience::ToolFault;
use crate::domain::trace::{Component, Mode};
use crate::plugin::sandbox::call::{self as sandbox, CallBudget, Callee};
use crate::resolve::Reads;

use super::amendment;
use super::amendment::{Amendment, Question, StepProposal};
use super::sequence::ToolStepRegistration;
use super::v0_1::evaluation::PreparedToolStep;
use crate::domain::message::TOOL_EVALUATE;
use crate::plugin::engine::Engine;
use crate::plugin::guard::breaker::Source;
use crate::plugin::guard::budget::Share;
use crate::plugin::guard::{Guard, Permit};
use crate::plugin::limits::call_error::CallError;
use crate::plugin::limits::call_limits::Limits;
use crate::plugin::limits::weight::Weight;
use crate::plugin::outbound_access::gateway::Granted;
use crate::plugin::sandbox::state::State;
use crate::plugin::sandbox::trace::{Asked, CallSummary, Record};

/// A component with steps around rules.
pub(in crate::plugin) struct ToolSteps {
    /// The plugin, as records name it.
    pub(in crate::plugin) component: Arc<Component>,
    pub(in crate::plugin) weight: Weight,
    pub(in crate::plugin) limits: Limits,
    pub(in crate::plugin) guard: Guard,
    pub(in crate::plugin) prepared: PreparedToolStep,
}

impl ToolSteps {
    /// Asks about a tool. What was read comes along.
    pub(in crate::plugin) fn execute(
        &self,
        engine: &Engine,
        step: &ToolStepRegistration,
        question: &Question<'_>,
        reads: Reads,
        outside: &Arc<Granted>,
    ) -> (Result<Amendment, ToolFault>, Reads) {
        let asked = Asked {
            message: TOOL_EVALUATE,
            resource: question.tool,
            stage: u8::try_from(u32::from(question.stage)).unwrap_or_default(),
            rank: Some(step.rank),
            mode: Mode::Sync,
            step: Some(&step.step),
            settings: Some(&step.configuration),
        };
        let record = Record::begin(&self.component, asked, reads.caller().clone());
        let budget = CallBudget { limits: self.limits.lowered(step.limits.into()), outside, share: Share::Around };
        let (answer, (reads, summary)) = match self.enter(engine, step, &reads, budget) {
            Err(error) => (Err(error), (reads, CallSummary::default())),
            Ok(permit) => {
                let ask = || {
                    let (wish, left) = self.ask(engine, &step.step, &step.configuration, question, reads, budget);
                    (wish.and_then(|wish| amendment::check(wish, question, &self.limits)), left)
                };
                let asked = record.span().in_scope(ask);
                permit.ended(asked.0.as_ref().err(), asked.1.1.waited);
                asked
            }
        };
        let trace = record.end(&*engine.config.watch, answer.as_ref().err(), summary);
        let fault = |error: CallError| ToolFault {
            code: error.code().to_owned(),
            message: error.public_message(),
            plugin: self.component.plugin.clone(),
            version: self.component.version.clone(),
            trace,
            retry_after: error.retry_after(),
        };
        (answer.map_err(fault), reads)
    }

    /// Permit to ask, if the answer may still cost something.
    fn enter(
        &self,
        engine: &Engine,
        step: &ToolStepRegistration,
        reads: &Reads,
        budget: CallBudget<'_>,
    ) -> Result<Permit<'_>, CallError> {
        budget.allowance(engine, reads).check()?;
        self.guard.enter(Some(&step.step), Source::of(reads.caller()), budget.outside.may_wait())
    }

    /// Asks in a fresh instance, without a record. Nothing outside of the host is reached. What the step wanted comes
    /// along with what becomes of it.
    pub(in crate::plugin) fn rehearse(
        &self,
        engine: &Engine,
        step: &str,
        configuration: &str,
        question: &Question<'_>,
        reads: Reads,
    ) -> (Result<(StepProposal, Amendment), CallError>, (Reads, CallSummary)) {
        let budget = CallBudget { limits: self.limits, outside: &Arc::default(), share: Share::Alone };
        let (wish, left) = self.ask(engine, step, configuration, question, reads, budget);
        let checked = |wish: StepProposal| Ok((wish.clone(), amendment::check(wish, question, &self.limits)?));
        (wish.and_then(checked), left)
    }

    fn ask(
        &self,
        engine: &Engine,
        step: &str,
        configuration: &str,
        question: &Question<'_>,
        reads: Reads,
        budget: CallBudget<'_>,
    ) -> (Result<StepProposal, CallError>, (Reads, CallSummary)) {
        let callee = Callee { weight: self.weight, component: &self.component };
        let instantiate = |store: &mut Store<State>| self.prepared.instantiate(store);
        sandbox::call(engine, callee, reads, budget, instantiate, |instance, store| {
            instance.execute(store, step, configuration, question)
        })
    }
}
