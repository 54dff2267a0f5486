//! One call: a fresh instance, one question, one checked answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use wasmtime::{Store, UpdateDeadline};

use crate::domain::CallLimits;
use crate::domain::experience::ToolFault;
use crate::domain::trace::{Component, Mode, TraceId};
use crate::resolve::{Decision, Evaluation, Reads};

use super::decision;
use super::v0_1::{Instance, Rule};
use crate::domain::message::{MAIN_OPERATION, TOOL_EVALUATE};
use crate::plugin::engine::{Engine, ticks};
use crate::plugin::guard::breaker::Source;
use crate::plugin::guard::budget::{Allowance, Share};
use crate::plugin::guard::{Guard, Leave};
use crate::plugin::limits::call_error::CallError;
use crate::plugin::limits::call_limits::Limits;
use crate::plugin::limits::meter::Times;
use crate::plugin::limits::slots::Slot;
use crate::plugin::limits::weight::Weight;
use crate::plugin::outbound_access::gateway::Outside;
use crate::plugin::sandbox::state::State;
use crate::plugin::sandbox::trace::{Asked, Record, Remains};
use crate::plugin::sandbox::trap;

/// The fuel of a call that counts it: more than its deadline lets it burn.
const FUEL: u64 = u64::MAX;

/// How long a guest runs before the host looks whether its answer is still waited for.
const LOOK: Duration = Duration::from_millis(50);

/// A component that is ready to be asked.
pub(in crate::plugin) struct Plugin {
    /// `publisher/name`.
    pub(in crate::plugin) name: String,
    pub(in crate::plugin) version: String,
    pub(in crate::plugin) digest: String,
    /// The same three, as records name it.
    pub(in crate::plugin) component: Arc<Component>,
    pub(in crate::plugin) weight: Weight,
    pub(in crate::plugin) limits: Limits,
    pub(in crate::plugin) guard: Guard,
    pub(in crate::plugin) rule: Rule,
}

/// What one call may use, and what it may reach outside of the host.
#[derive(Clone, Copy)]
pub(in crate::plugin) struct Means<'a> {
    pub(in crate::plugin) limits: Limits,
    pub(in crate::plugin) outside: &'a Arc<Outside>,
    /// Which budget it shares.
    pub(in crate::plugin) share: Share,
}

impl Means<'_> {
    /// What the call may take of the budget it shares.
    pub(in crate::plugin) fn allowance(&self, engine: &Engine, reads: &Reads) -> Allowance {
        Allowance::of(self.share, &engine.config, &self.limits, reads.effort())
    }
}

impl Plugin {
    /// What a call has of which the environment lowers some.
    pub(in crate::plugin) fn means<'a>(&self, lowered: CallLimits, outside: &'a Arc<Outside>) -> Means<'a> {
        Means { limits: self.limits.lowered(lowered.into()), outside, share: Share::Rule }
    }

    /// Asks in a fresh instance.
    pub(in crate::plugin) fn evaluate(
        &self,
        engine: &Engine,
        kind: &str,
        settings: &str,
        reads: Reads,
        means: Means<'_>,
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
        let (outcome, (mut reads, remains)) = match self.enter(engine, &reads, means) {
            Err(error) => (Err(error), (reads, Remains::default())),
            Ok(leave) => {
                let asked = record.span().in_scope(|| self.ask(engine, settings, reads, means));
                leave.ended(asked.0.as_ref().err(), asked.1.1.waited);
                asked
            }
        };
        let trace = record.end(&*engine.config.watch, outcome.as_ref().err(), remains);
        let outcome = outcome.map_err(|error| self.fault(&error, trace));
        let outside = reads.take_outside();
        Evaluation { outside, ..Evaluation::of_rule(self.component.to_string(), outcome, reads.into_recorded()) }
    }

    /// Leave to ask, if the request may still cost something.
    fn enter(&self, engine: &Engine, reads: &Reads, means: Means<'_>) -> Result<Leave<'_>, CallError> {
        means.allowance(engine, reads).check()?;
        self.guard.enter(None, Source::of(reads.caller()), means.outside.may_wait())
    }

    /// Asks in a fresh instance, and tells nobody. Nothing outside of the host is reached.
    pub(in crate::plugin) fn rehearse(
        &self,
        engine: &Engine,
        settings: &str,
        reads: Reads,
    ) -> (Result<Decision, CallError>, (Reads, Remains)) {
        self.ask(engine, settings, reads, Means { limits: self.limits, outside: &Arc::default(), share: Share::Alone })
    }

    fn ask(
        &self,
        engine: &Engine,
        settings: &str,
        reads: Reads,
        means: Means<'_>,
    ) -> (Result<Decision, CallError>, (Reads, Remains)) {
        match Call::start(self, engine, reads, means) {
            Ok(mut call) => (call.evaluate(settings), call.into_remains()),
            Err(failed) => {
                let (error, reads, remains) = *failed;
                (Err(error), (reads, remains))
            }
        }
    }

    fn fault(&self, error: &CallError, trace: Option<TraceId>) -> ToolFault {
        let (plugin, version) = (self.name.clone(), self.version.clone());
        let retry_after = error.retry_after();
        ToolFault { code: error.code().to_owned(), message: error.told(), plugin, version, trace, retry_after }
    }
}

/// An instance with its limits, from before it starts until it is dropped.
///
/// Every question the host asks gets one of its own. Only a benchmark asks the same one twice.
pub struct Call<'a> {
    limits: Limits,
    store: Store<State>,
    instance: Instance,
    times: Times,
    // Below the store, so that the instance is gone when its slot is given back.
    _slot: Slot<'a>,
}

impl<'a> Call<'a> {
    /// Makes an instance. What was read and used until it failed comes back with the error.
    pub(in crate::plugin) fn start(
        plugin: &'a Plugin,
        engine: &'a Engine,
        reads: Reads,
        means: Means<'_>,
    ) -> Result<Self, Box<(CallError, Reads, Remains)>> {
        let limits = means.limits;
        let Some(slot) = engine.slot(plugin.weight) else {
            return Err(Box::new((CallError::Busy(engine.config.patience), reads, Remains::default())));
        };
        let begun = Instant::now();
        let mut store = store(engine, plugin.weight, &plugin.component, reads, means);
        let made = plugin.rule.instantiate(&mut store);
        let times = Times { instantiate: begun.elapsed(), ..Times::default() };
        match made {
            Ok(instance) => Ok(Self { limits, store, instance, times, _slot: slot }),
            Err(error) => {
                let explained = explain(&error, &mut store, &limits);
                let (reads, remains) = remains(store, times);
                Err(Box::new((explained, reads, remains)))
            }
        }
    }

    /// Asks the rule and checks its answer.
    pub fn evaluate(&mut self, settings: &str) -> Result<Decision, CallError> {
        let limits = &self.limits;
        let begun = Instant::now();
        let answered = self.instance.evaluate(&mut self.store, settings);
        let decided = match answered {
            Ok(verdict) => decision::check(verdict, limits),
            Err(error) => Err(explain(&error, &mut self.store, limits)),
        };
        self.times.run = begun.elapsed();
        decided
    }

    fn into_remains(self) -> (Reads, Remains) {
        remains(self.store, self.times)
    }
}

/// A store with its limits, and the deadline running: start code of an instance may loop, too.
pub(in crate::plugin) fn store(
    engine: &Engine,
    weight: Weight,
    component: &Arc<Component>,
    reads: Reads,
    means: Means<'_>,
) -> Store<State> {
    let allowance = means.allowance(engine, &reads);
    let mut store = store_in(engine.wasmtime(weight), component, &means.limits, reads);
    if engine.config.counts_fuel {
        // Fails only in an engine that counts none, and this one does.
        let _ = store.set_fuel(FUEL);
    }
    let state = store.data_mut();
    state.outside = Arc::clone(means.outside);
    state.allow(allowance);
    state.under(engine.config.circumstances);
    store
}

/// The same for a component that may reach nothing.
pub(in crate::plugin) fn store_in(
    engine: &wasmtime::Engine,
    component: &Arc<Component>,
    limits: &Limits,
    reads: Reads,
) -> Store<State> {
    let mut store = Store::new(engine, State::new(Arc::clone(component), *limits, reads));
    store.limiter(|state| &mut state.meter);
    store.set_hostcall_fuel(limits.output);
    store.set_epoch_deadline(ticks(limits.deadline.min(LOOK)));
    // The engine's clock is on the wall: what was not spent on the guest is given back.
    store.epoch_deadline_callback(|mut call| {
        let left = call.data_mut().left();
        Ok(left.map_or(UpdateDeadline::Interrupt, |left| UpdateDeadline::Continue(ticks(left.min(LOOK)))))
    });
    store
}

/// Tells why a call ended early, and keeps where.
pub(in crate::plugin) fn explain(error: &wasmtime::Error, store: &mut Store<State>, limits: &Limits) -> CallError {
    let explained = trap::explain(error, store.data(), limits);
    store.data_mut().backtrace = trap::backtrace(error);
    explained
}

/// Drops an instance. Its reads are left, and what its record says.
pub(in crate::plugin) fn remains(store: Store<State>, times: Times) -> (Reads, Remains) {
    let fuel = store.get_fuel().ok().map(|left| FUEL - left);
    store.data().settle();
    let (reads, remains) = store.into_data().into_remains(times);
    (reads, Remains { fuel, ..remains })
}
