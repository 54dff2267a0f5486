//! One call: a fresh instance, one question, one checked answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use wasmtime::{Store, UpdateDeadline};

use crate::domain::CallLimits;
use crate::domain::experience::ToolFault;
use crate::domain::trace::{Component, Mode, TraceId};
use crate::resolve::{Decision, Evaluation, Reads};

use super::allowance::{Allowance, Share};
use super::breaker::Source;
use super::decision::{self, Invalid};
use super::engine::{Engine, ticks};
use super::guard::{Guard, Leave};
use super::limits::{Exceeded, Limits};
use super::outside::Outside;
use super::record::{Asked, MAIN_OPERATION, Record, Remains, TOOL_EVALUATE, Times};
use super::slots::Slot;
use super::state::State;
use super::trap;
use super::v0_1::{Instance, Rule};
use super::weight::Weight;

/// The fuel of a call that counts it: more than its deadline lets it burn.
const FUEL: u64 = u64::MAX;

/// How long a guest runs before the host looks whether its answer is still waited for.
const LOOK: Duration = Duration::from_millis(50);

/// Seconds after which a call may be made that found no room.
const SOON: u32 = 1;

/// How a call broke.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// All slots were taken. Not the plugin's fault.
    #[error("no slot for a call became free within {} ms", .0.as_millis())]
    Busy(Duration),
    /// As many calls of the plugin as may wait for a slot. Not the plugin's fault.
    #[error("no more than {0} of its calls may wait for a slot, and so many do")]
    Full(usize),
    /// As many calls are under way as may be that can wait outside. Not the plugin's fault.
    #[error("as many calls that may wait for others outside are made as the host makes at once")]
    Crowded,
    /// Its calls waited outside for longer than they may in so short a time. Not the component's fault.
    #[error("its calls have waited for others outside as long as they may for now: it is asked again in {seconds} s")]
    Waited {
        /// Until it is asked, in seconds.
        seconds: u64,
    },
    /// There was no processor for it. Not the plugin's fault.
    #[error("the machine is too busy: it got no processor for its {} ms", .0.as_millis())]
    Starved(Duration),
    /// The system had no memory, no file or no thread for it. Not the plugin's fault.
    #[error("the machine has too little memory, or too few files it may open, for the call")]
    Short,
    /// Plugins have taken all the time that the answer or change may cost. Not the plugin's fault.
    #[error("all plugins together may take {} ms of processor time for one answer or change, and they have", .0.as_millis())]
    Spent(Duration),
    /// The request was given up. Not the plugin's fault.
    #[error("the request it was asked for was given up")]
    GivenUp,
    /// It is not asked, because it went on breaking.
    #[error("it is suspended, and tried again in {seconds} s: {reason}")]
    Suspended {
        /// Why.
        reason: String,
        /// Until it is tried, in seconds.
        seconds: u64,
    },
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
        /// Whether these are the guest's words.
        in_its_words: bool,
        /// The function.
        place: Option<String>,
        /// How much it may hand to the host at once, where that was too much.
        at_once: Option<usize>,
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
    /// Whether it is the component's own fault. That others outside are slow is not.
    pub(super) fn is_its_fault(&self) -> bool {
        let waited = matches!(self, Self::Exceeded(Exceeded::Waiting { .. }));
        !waited && !self.is_want_of_room() && !matches!(self, Self::Suspended { .. })
    }

    /// Whether what was too large follows from the question, such as from a long text in the context: that says little
    /// about the component.
    pub(super) fn is_of_the_question(&self) -> bool {
        match self {
            Self::Exceeded(exceeded) => matches!(
                exceeded,
                Exceeded::Output { .. }
                    | Exceeded::Items { .. }
                    | Exceeded::HandedOver { .. }
                    | Exceeded::Text { .. }
                    | Exceeded::Slugs { .. }
            ),
            Self::Trapped { at_once, .. } => at_once.is_some(),
            _ => false,
        }
    }

    /// Whether the host had no room for the call.
    pub(super) fn is_want_of_room(&self) -> bool {
        matches!(
            self,
            Self::Busy(_)
                | Self::Full(_)
                | Self::Crowded
                | Self::Waited { .. }
                | Self::Starved(_)
                | Self::Spent(_)
                | Self::GivenUp
                | Self::Short
        )
    }

    /// The sentence for whoever is answered: in the host's words, with limits, values and the guest's code. What a guest writes may say
    /// anything about anybody, and is in the record of the call alone.
    pub(super) fn told(&self) -> String {
        match self {
            Self::Suspended { seconds, .. } => format!("it is suspended, and tried again in {seconds} s"),
            Self::Trapped { in_its_words: true, .. } => "it trapped: it panicked".to_owned(),
            Self::Trapped { what, .. } => format!("it trapped: {what}"),
            Self::Failed { code, .. } => format!("it answered with the fault `{code}`"),
            Self::Invalid(invalid) => invalid.told(),
            Self::Busy(_)
            | Self::Full(_)
            | Self::Crowded
            | Self::Short
            | Self::Waited { .. }
            | Self::Starved(_)
            | Self::Spent(_)
            | Self::GivenUp
            | Self::Timeout(_)
            | Self::Exceeded(_) => self.to_string(),
        }
    }

    /// Seconds after which it may be asked again, if that is known.
    pub(super) fn retry_after(&self) -> Option<u32> {
        match self {
            Self::Suspended { seconds, .. } | Self::Waited { seconds } => u32::try_from(*seconds).ok(),
            Self::Busy(_)
            | Self::Full(_)
            | Self::Crowded
            | Self::Starved(_)
            | Self::Short
            | Self::Spent(_)
            | Self::GivenUp => Some(SOON),
            Self::Timeout(_) | Self::Exceeded(_) | Self::Trapped { .. } | Self::Failed { .. } | Self::Invalid(_) => {
                None
            }
        }
    }

    /// The stable code, as listed in `wit/README.md`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Busy(_)
            | Self::Full(_)
            | Self::Crowded
            | Self::Waited { .. }
            | Self::Starved(_)
            | Self::Spent(_)
            | Self::Short
            | Self::GivenUp => "plugin.busy",
            Self::Suspended { .. } => "plugin.suspended",
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
    /// The same three, as records name it.
    pub(super) component: Arc<Component>,
    pub(super) weight: Weight,
    pub(super) limits: Limits,
    pub(super) guard: Guard,
    pub(super) rule: Rule,
}

/// What one call may use, and what it may reach outside of the host.
#[derive(Clone, Copy)]
pub(super) struct Means<'a> {
    pub(super) limits: Limits,
    pub(super) outside: &'a Arc<Outside>,
    /// Which budget it shares.
    pub(super) share: Share,
}

impl Means<'_> {
    /// What the call may take of the budget it shares.
    pub(super) fn allowance(&self, engine: &Engine, reads: &Reads) -> Allowance {
        Allowance::of(self.share, &engine.config, &self.limits, reads.effort())
    }
}

impl Plugin {
    /// What a call has of which the environment lowers some.
    pub(super) fn means<'a>(&self, lowered: CallLimits, outside: &'a Arc<Outside>) -> Means<'a> {
        Means { limits: self.limits.lowered(lowered.into()), outside, share: Share::Rule }
    }

    /// Asks in a fresh instance.
    pub(super) fn evaluate(
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
    pub(super) fn rehearse(
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
    pub(super) fn start(
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
pub(super) fn store(
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
pub(super) fn store_in(
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
pub(super) fn explain(error: &wasmtime::Error, store: &mut Store<State>, limits: &Limits) -> CallError {
    let explained = trap::explain(error, store.data(), limits);
    store.data_mut().backtrace = trap::backtrace(error);
    explained
}

/// Drops an instance. Its reads are left, and what its record says.
pub(super) fn remains(store: Store<State>, times: Times) -> (Reads, Remains) {
    let fuel = store.get_fuel().ok().map(|left| FUEL - left);
    store.data().settle();
    let (reads, remains) = store.into_data().into_remains(times);
    (reads, Remains { fuel, ..remains })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_guest_writes_is_not_told_to_whoever_is_answered() {
        let guest = || "Ada's card number".to_owned();
        let trapped =
            |in_its_words, what| CallError::Trapped { what, in_its_words, place: Some(guest()), at_once: None };
        let code = Invalid::Code { what: "reason", found: guest() };
        for (error, expected) in [
            (trapped(true, guest()), "it trapped: it panicked"),
            (trapped(false, "it tried to wait".to_owned()), "it trapped: it tried to wait"),
            (
                CallError::Failed { code: "no-luck".to_owned(), message: guest() },
                "it answered with the fault `no-luck`",
            ),
            (CallError::Suspended { reason: guest(), seconds: 5 }, "it is suspended, and tried again in 5 s"),
            (CallError::Timeout(Duration::from_millis(50)), "it ran past its deadline of 50 ms"),
            (Invalid::Payload(guest()).into(), "its payload is no JSON object"),
            (Invalid::Patch(guest()).into(), "its patch is no JSON object"),
            (code.into(), "its reason is not 1 to 64 of `a` to `z`, `0` to `9` and `-`, a letter first"),
            (Invalid::Empty("text of the reason").into(), "its text of the reason is empty"),
        ] {
            assert_eq!(error.told(), expected, "{error:?}");
        }
    }
}
