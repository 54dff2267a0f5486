//! One call of a component, whatever its world: a slot, a fresh instance with its limits, one question, and what is
//! left for its record.
//!
//! The deadline runs before the instance exists, because start code of a guest may loop, too. A call that fails gives
//! back its reads.

use std::sync::Arc;
use std::time::{Duration, Instant};

use wasmtime::{Store, UpdateDeadline};

use crate::domain::trace::Component;
use crate::plugin::engine::{Engine, ticks};
use crate::plugin::guard::budget::{Allowance, Share};
use crate::plugin::limits::call_error::CallError;
use crate::plugin::limits::call_limits::Limits;
use crate::plugin::limits::meter::Times;
use crate::plugin::limits::slots::Slot;
use crate::plugin::limits::weight::Weight;
use crate::plugin::outbound_access::gateway::Granted;
use crate::resolve::Reads;

use super::state::State;
use super::trace::CallSummary;
use super::trap;

/// The fuel of a call that counts it: more than its deadline lets it burn.
const FUEL: u64 = u64::MAX;

/// How long a guest runs before the host looks whether its answer is still waited for.
const LOOK: Duration = Duration::from_millis(50);

/// What one call may use, and what it may reach outside of the host.
#[derive(Clone, Copy)]
pub(in crate::plugin) struct CallBudget<'a> {
    pub(in crate::plugin) limits: Limits,
    pub(in crate::plugin) outside: &'a Arc<Granted>,
    /// Which budget it shares.
    pub(in crate::plugin) share: Share,
}

impl CallBudget<'_> {
    /// What the call may take of the budget it shares.
    pub(in crate::plugin) fn allowance(&self, engine: &Engine, reads: &Reads) -> Allowance {
        Allowance::of(self.share, &engine.config, &self.limits, reads.effort())
    }
}

/// The component that is called.
#[derive(Clone, Copy)]
pub(in crate::plugin) struct Callee<'a> {
    pub(in crate::plugin) weight: Weight,
    /// As records name it.
    pub(in crate::plugin) component: &'a Arc<Component>,
}

/// What a call answered, its reads, and what its record says.
pub(in crate::plugin) type Called<T> = (Result<T, CallError>, (Reads, CallSummary));

/// Calls a component in a fresh instance, which `instantiate` makes and `question` asks.
pub(in crate::plugin) fn call<I, T>(
    engine: &Engine,
    callee: Callee<'_>,
    reads: Reads,
    budget: CallBudget<'_>,
    instantiate: impl FnOnce(&mut Store<State>) -> wasmtime::Result<I>,
    question: impl FnOnce(&I, &mut Store<State>) -> wasmtime::Result<T>,
) -> Called<T> {
    match Running::start(engine, callee, reads, budget, instantiate) {
        Ok(mut running) => (running.ask(question), running.finish()),
        Err(failed) => {
            let (error, reads, summary) = *failed;
            (Err(error), (reads, summary))
        }
    }
}

/// An instance with its limits, from before it starts until it is dropped. Every question has an instance of its own;
/// only a benchmark asks one instance twice.
pub(in crate::plugin) struct Running<'a, I> {
    limits: Limits,
    store: Store<State>,
    instance: I,
    times: Times,
    // Below the store, so that the instance is gone when its slot is given back.
    _slot: Slot<'a>,
}

impl<'a, I> Running<'a, I> {
    /// Makes an instance. What was read and used until it failed comes back with the error.
    pub(in crate::plugin) fn start(
        engine: &'a Engine,
        callee: Callee<'_>,
        reads: Reads,
        budget: CallBudget<'_>,
        instantiate: impl FnOnce(&mut Store<State>) -> wasmtime::Result<I>,
    ) -> Result<Self, Box<(CallError, Reads, CallSummary)>> {
        let limits = budget.limits;
        let Some(slot) = engine.slot(callee.weight) else {
            return Err(Box::new((CallError::Busy(engine.config.slot_timeout), reads, CallSummary::default())));
        };
        let begun = Instant::now();
        let mut store = store(engine, callee, reads, budget);
        let made = instantiate(&mut store);
        let times = Times { instantiate: begun.elapsed(), ..Times::default() };
        match made {
            Ok(instance) => Ok(Self { limits, store, instance, times, _slot: slot }),
            Err(error) => {
                let explained = explain(&error, &mut store, &limits);
                let (reads, summary) = finish(store, times);
                Err(Box::new((explained, reads, summary)))
            }
        }
    }

    /// Asks the instance.
    pub(in crate::plugin) fn ask<T>(
        &mut self,
        question: impl FnOnce(&I, &mut Store<State>) -> wasmtime::Result<T>,
    ) -> Result<T, CallError> {
        let begun = Instant::now();
        let answered = question(&self.instance, &mut self.store);
        self.times.run = begun.elapsed();
        answered.map_err(|error| explain(&error, &mut self.store, &self.limits))
    }

    /// Drops the instance. Its reads are left, and what its record says.
    pub(in crate::plugin) fn finish(self) -> (Reads, CallSummary) {
        finish(self.store, self.times)
    }
}

/// A store with its limits, and the deadline running.
pub(in crate::plugin) fn store(
    engine: &Engine,
    callee: Callee<'_>,
    reads: Reads,
    budget: CallBudget<'_>,
) -> Store<State> {
    let allowance = budget.allowance(engine, &reads);
    let mut store = store_in(engine.wasmtime(callee.weight), callee.component, &budget.limits, reads);
    if engine.config.counts_fuel {
        // Fails only in an engine that counts none, and this one does.
        let _ = store.set_fuel(FUEL);
    }
    let state = store.data_mut();
    state.outside = Arc::clone(budget.outside);
    state.allow(allowance);
    state.under(engine.config.fixed_inputs);
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
fn explain(error: &wasmtime::Error, store: &mut Store<State>, limits: &Limits) -> CallError {
    let explained = trap::explain(error, store.data(), limits);
    store.data_mut().backtrace = trap::backtrace(error);
    explained
}

/// Drops an instance. Its reads are left, and what its record says.
fn finish(store: Store<State>, times: Times) -> (Reads, CallSummary) {
    let fuel = store.get_fuel().ok().map(|left| FUEL - left);
    store.data().settle();
    let (reads, summary) = store.into_data().into_summary(times);
    (reads, CallSummary { fuel, ..summary })
}
