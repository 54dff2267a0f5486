//! One call: a fresh instance, one question, one checked answer.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::Store;

use crate::domain::experience::ToolFault;
use crate::resolve::{Decision, Evaluation, Reads};

use super::decision::{self, Invalid};
use super::engine::{Engine, ticks};
use super::limits::{Exceeded, Limits};
use super::slots::Slot;
use super::state::State;
use super::trap;
use super::v0_1::{Instance, Rule};

/// How a call broke.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// All slots were taken. Not the plugin's fault.
    #[error("no slot for a call became free within {} ms", .0.as_millis())]
    Busy(Duration),
    /// The deadline passed.
    #[error("it ran past its deadline of {} ms", .0.as_millis())]
    Timeout(Duration),
    /// A limit was exceeded.
    #[error(transparent)]
    Exceeded(#[from] Exceeded),
    /// The guest stopped with an error.
    #[error("it trapped{}: {what}", place.as_ref().map_or_else(String::new, |place| format!(" in `{place}`")))]
    Trapped {
        /// What happened, in the guest's words if it left any.
        what: String,
        /// The function.
        place: Option<String>,
    },
    /// The rule answered that it cannot decide.
    #[error("it answered with the fault `{code}`: {message}")]
    Failed {
        /// The rule's own code.
        code: String,
        /// The rule's own sentence.
        message: String,
    },
    /// The decision is none.
    #[error(transparent)]
    Invalid(#[from] Invalid),
}

impl CallError {
    /// The stable code, as listed in `wit/README.md`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Busy(_) => "plugin.busy",
            Self::Timeout(_) => "plugin.timeout",
            Self::Exceeded(exceeded) => exceeded.code(),
            Self::Trapped { .. } => "plugin.trapped",
            Self::Failed { .. } => "plugin.failed",
            Self::Invalid(_) => "plugin.invalid-result",
        }
    }
}

/// A component that is ready to be asked.
pub(super) struct Plugin {
    /// `publisher/name`.
    pub(super) name: String,
    pub(super) version: String,
    pub(super) digest: String,
    /// `publisher/name version`.
    pub(super) label: Arc<str>,
    pub(super) limits: Limits,
    pub(super) rule: Rule,
}

impl Plugin {
    /// Asks in a fresh instance.
    pub(super) fn evaluate(&self, engine: &Engine, settings: &str, reads: Reads) -> Evaluation {
        let (outcome, reads) = match Call::start(self, engine, reads) {
            Ok(mut call) => (call.evaluate(settings), call.into_reads()),
            Err(failed) => {
                let (error, reads) = *failed;
                (Err(error), reads)
            }
        };
        Evaluation {
            plugin: self.label.to_string(),
            outcome: outcome.map_err(|error| self.fault(&error)),
            reads: reads.into_recorded(),
        }
    }

    fn fault(&self, error: &CallError) -> ToolFault {
        let (plugin, version) = (self.name.clone(), self.version.clone());
        ToolFault { code: error.code().to_owned(), message: error.to_string(), plugin, version }
    }
}

/// An instance with its limits, from before it starts until it is dropped.
///
/// Every question the host asks gets one of its own. Only a benchmark asks the same one twice.
pub struct Call<'a> {
    plugin: &'a Plugin,
    store: Store<State>,
    instance: Instance,
    // Below the store, so that the instance is gone when its slot is given back.
    _slot: Slot<'a>,
}

impl<'a> Call<'a> {
    /// Makes an instance. What was read until it failed comes back with the error.
    pub(super) fn start(plugin: &'a Plugin, engine: &'a Engine, reads: Reads) -> Result<Self, Box<(CallError, Reads)>> {
        let Some(slot) = engine.slot() else { return Err(Box::new((CallError::Busy(engine.config.patience), reads))) };
        let mut store = store(engine, &plugin.label, &plugin.limits, reads);
        match plugin.rule.instantiate(&mut store) {
            Ok(instance) => Ok(Self { plugin, store, instance, _slot: slot }),
            Err(error) => {
                let explained = trap::explain(&error, store.data(), &plugin.limits);
                report(store.data());
                Err(Box::new((explained, store.into_data().reads)))
            }
        }
    }

    /// Asks the rule and checks its answer.
    pub fn evaluate(&mut self, settings: &str) -> Result<Decision, CallError> {
        let limits = &self.plugin.limits;
        match self.instance.evaluate(&mut self.store, settings) {
            Ok(verdict) => decision::check(verdict, limits),
            Err(error) => Err(trap::explain(&error, self.store.data(), limits)),
        }
    }

    fn into_reads(self) -> Reads {
        report(self.store.data());
        self.store.into_data().reads
    }
}

/// A store with its limits, and the deadline running: start code of an instance may loop, too.
pub(super) fn store(engine: &Engine, label: &Arc<str>, limits: &Limits, reads: Reads) -> Store<State> {
    store_in(&engine.wasmtime, label, limits, reads)
}

/// The same in any engine.
pub(super) fn store_in(engine: &wasmtime::Engine, label: &Arc<str>, limits: &Limits, reads: Reads) -> Store<State> {
    let mut store = Store::new(engine, State::new(Arc::clone(label), *limits, reads));
    store.limiter(|state| &mut state.meter);
    store.set_hostcall_fuel(limits.output);
    store.set_epoch_deadline(ticks(limits.deadline));
    store
}

/// Passes on what was left on standard error, for whoever looks after the plugin.
pub(super) fn report(state: &State) {
    let (stderr, dropped) = (state.stderr(), state.meter.dropped());
    if !stderr.is_empty() || dropped > 0 {
        tracing::debug!(plugin = %state.plugin, dropped, "standard error: {stderr:?}");
    }
}
