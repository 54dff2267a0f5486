//! One call: a fresh instance, one question, one checked answer.

use std::sync::Arc;

use wasmtime::Store;

use crate::domain::CallLimits;
use crate::domain::experience::ToolFault;
use crate::domain::trace::{Component, Mode, TraceId};
use crate::plugin::sandbox::call::{self as sandbox, CallBudget, Callee, Running};
use crate::resolve::{Decision, Evaluation, Reads};

use super::decision;
use super::v0_1::{Instance, PreparedToolRule};
use crate::domain::message::{MAIN_OPERATION, TOOL_EVALUATE};
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

/// A component that is ready to be asked.
pub(in crate::plugin) struct ToolRule {
    /// `publisher/name`.
    pub(in crate::plugin) name: String,
    pub(in crate::plugin) version: String,
    pub(in crate::plugin) digest: String,
    /// The same three, as records name it.
    pub(in crate::plugin) component: Arc<Component>,
    pub(in crate::plugin) weight: Weight,
    pub(in crate::plugin) limits: Limits,
    pub(in crate::plugin) guard: Guard,
    pub(in crate::plugin) rule: PreparedToolRule,
}

impl ToolRule {
    /// What a call has of which the environment lowers some.
    pub(in crate::plugin) fn means<'a>(&self, lowered: CallLimits, outside: &'a Arc<Granted>) -> CallBudget<'a> {
        CallBudget { limits: self.limits.lowered(lowered.into()), outside, share: Share::Rule }
    }

    /// Asks in a fresh instance.
    pub(in crate::plugin) fn evaluate(
        &self,
        engine: &Engine,
        kind: &str,
        settings: &str,
        reads: Reads,
        budget: CallBudget<'_>,
    ) -> Evaluation {
        let asked = Asked {
            message: TOOL_EVALUATE,
            resource: kind,
            stage: MAIN_OPERATION,
            rank: None,
            mode: Mode::Sync,
            step: None,
            settings: Some(settings),
        };
        let record = Record::begin(&self.component, asked, reads.caller().clone());
        let (outcome, (mut reads, summary)) = match self.enter(engine, &reads, budget) {
            Err(error) => (Err(error), (reads, CallSummary::default())),
            Ok(permit) => {
                let asked = record.span().in_scope(|| self.ask(engine, settings, reads, budget));
                permit.ended(asked.0.as_ref().err(), asked.1.1.waited);
                asked
            }
        };
        let trace = record.end(&*engine.config.watch, outcome.as_ref().err(), summary);
        let outcome = outcome.map_err(|error| self.fault(&error, trace));
        let outside = reads.take_outside();
        Evaluation { outside, ..Evaluation::of_rule(self.component.to_string(), outcome, reads.into_recorded()) }
    }

    /// Permit to ask, if the request may still cost something.
    fn enter(&self, engine: &Engine, reads: &Reads, budget: CallBudget<'_>) -> Result<Permit<'_>, CallError> {
        budget.allowance(engine, reads).check()?;
        self.guard.enter(None, Source::of(reads.caller()), budget.outside.may_wait())
    }

    /// Asks in a fresh instance, without a record. Nothing outside of the host is reached.
    pub(in crate::plugin) fn rehearse(
        &self,
        engine: &Engine,
        settings: &str,
        reads: Reads,
    ) -> (Result<Decision, CallError>, (Reads, CallSummary)) {
        self.ask(
            engine,
            settings,
            reads,
            CallBudget { limits: self.limits, outside: &Arc::default(), share: Share::Alone },
        )
    }

    fn ask(
        &self,
        engine: &Engine,
        settings: &str,
        reads: Reads,
        budget: CallBudget<'_>,
    ) -> (Result<Decision, CallError>, (Reads, CallSummary)) {
        let instantiate = |store: &mut Store<State>| self.rule.instantiate(store);
        let question = |instance: &Instance, store: &mut Store<State>| instance.evaluate(store, settings);
        let (verdict, left) = sandbox::call(engine, self.callee(), reads, budget, instantiate, question);
        (verdict.and_then(|verdict| decision::check(verdict, &budget.limits)), left)
    }

    fn callee(&self) -> Callee<'_> {
        Callee { weight: self.weight, component: &self.component }
    }

    fn fault(&self, error: &CallError, trace: Option<TraceId>) -> ToolFault {
        let (plugin, version) = (self.name.clone(), self.version.clone());
        let retry_after = error.retry_after();
        ToolFault {
            code: error.code().to_owned(),
            message: error.public_message(),
            plugin,
            version,
            trace,
            retry_after,
        }
    }
}

/// A rule with an instance, for benchmarks.
pub struct Call<'a> {
    limits: Limits,
    running: Running<'a, Instance>,
}

impl<'a> Call<'a> {
    /// Makes an instance. What was read and used until it failed comes back with the error.
    pub(in crate::plugin) fn start(
        rule: &'a ToolRule,
        engine: &'a Engine,
        reads: Reads,
        budget: CallBudget<'_>,
    ) -> Result<Self, Box<(CallError, Reads, CallSummary)>> {
        let instantiate = |store: &mut Store<State>| rule.rule.instantiate(store);
        let running = Running::start(engine, rule.callee(), reads, budget, instantiate)?;
        Ok(Self { limits: budget.limits, running })
    }

    /// Asks the rule and checks its answer.
    pub fn evaluate(&mut self, settings: &str) -> Result<Decision, CallError> {
        let verdict = self.running.ask(|instance, store| instance.evaluate(store, settings))?;
        decision::check(verdict, &self.limits)
    }
}
