//! The record of a call: begun before the call, and handed to the watcher at its end.
//!
//! What a guest was given is hashed, never kept.

use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tracing::Span;
use tracing::field::Empty;

use crate::domain::trace::{
    CallTrace, Caller, Component, LogText, Mode, Outcome, ReachedLimit, RefusedCall, TraceFault, TraceId, Usage, Watch,
};

use crate::plugin::limits::call_error::CallError;
use crate::plugin::limits::exceeded::Exceeded;

/// What a component is asked.
pub(in crate::plugin) struct Asked<'a> {
    pub(in crate::plugin) message: &'a str,
    pub(in crate::plugin) resource: &'a str,
    pub(in crate::plugin) stage: u8,
    pub(in crate::plugin) rank: Option<i32>,
    pub(in crate::plugin) mode: Mode,
    pub(in crate::plugin) step: Option<&'a str>,
    pub(in crate::plugin) settings: Option<&'a str>,
}

/// What is left of a call for its record.
#[derive(Debug, Default)]
pub(in crate::plugin) struct CallSummary {
    pub(in crate::plugin) usage: Usage,
    pub(in crate::plugin) text: LogText,
    pub(in crate::plugin) backtrace: Vec<String>,
    pub(in crate::plugin) refused: Vec<RefusedCall>,
    /// What it burnt, if that was counted.
    pub(in crate::plugin) fuel: Option<u64>,
    /// How long it waited for others outside.
    pub(in crate::plugin) waited: Duration,
}

/// The record of a call that has begun.
pub(in crate::plugin) struct Record<'a> {
    component: &'a Arc<Component>,
    asked: Asked<'a>,
    caller: Caller,
    at: jiff::Timestamp,
    span: Span,
}

impl<'a> Record<'a> {
    /// Begins the record of a call.
    pub(in crate::plugin) fn begin(component: &'a Arc<Component>, asked: Asked<'a>, caller: Caller) -> Self {
        let span = tracing::debug_span!(
            "plugin.call",
            plugin = component.plugin,
            version = component.version,
            digest = component.digest,
            message = asked.message,
            resource = asked.resource,
            step = asked.step,
            outcome = Empty,
            instantiate_micros = Empty,
            run_micros = Empty,
            peak_memory = Empty,
        );
        Self { component, asked, caller, at: jiff::Timestamp::now(), span }
    }

    /// The span of the call.
    pub(in crate::plugin) fn span(&self) -> &Span {
        &self.span
    }

    /// Ends the record. Answers what it is known by, if it is kept.
    pub(in crate::plugin) fn end(
        self,
        watch: &dyn Watch,
        error: Option<&CallError>,
        summary: CallSummary,
    ) -> Option<TraceId> {
        let outcome = error.map_or(Outcome::Succeeded, CallError::outcome);
        self.end_with(watch, outcome, error, summary)
    }

    /// Ends the record of a call that broke with `error`, if it broke, and otherwise as `outcome` says.
    pub(in crate::plugin) fn end_with(
        self,
        watch: &dyn Watch,
        outcome: Outcome,
        error: Option<&CallError>,
        summary: CallSummary,
    ) -> Option<TraceId> {
        let Self { component, asked, caller, at, span } = self;
        let CallSummary { usage, text, backtrace, refused, fuel: _, waited: _ } = summary;
        span.record("outcome", outcome.as_str());
        span.record("instantiate_micros", usage.instantiate_micros);
        span.record("run_micros", usage.run_micros);
        span.record("peak_memory", usage.peak_memory);
        let id = name(at);
        let kept = watch.saw(CallTrace {
            id,
            at,
            request: caller.request,
            decision: caller.decision,
            message: asked.message.to_owned(),
            resource: asked.resource.to_owned(),
            stage: asked.stage,
            rank: asked.rank,
            mode: asked.mode,
            step: asked.step.map(str::to_owned),
            component: Arc::clone(component),
            outcome,
            fault: error.map(|error| TraceFault { code: error.code().to_owned(), message: error.to_string() }),
            limit: error.and_then(|error| error.limit(&usage)),
            usage,
            settings_hash: asked.settings.map(hash),
            refused,
            stands_for: 1,
            backtrace,
            text,
        });
        kept.then_some(id)
    }
}

/// A name for something that was made at `at`. No two are the same.
pub(in crate::plugin) fn name(at: jiff::Timestamp) -> TraceId {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    TraceId::new(at, *PROCESS, COUNT.fetch_add(1, Relaxed))
}

/// Tells this process from all others that write into one log.
static PROCESS: LazyLock<u64> = LazyLock::new(|| {
    let mut bytes = [0; 8];
    // Without randomness the number of the process has to do; it is used again only after the process is gone.
    if getrandom::fill(&mut bytes).is_err() {
        return std::process::id().into();
    }
    u64::from_le_bytes(bytes)
});

fn hash(settings: &str) -> String {
    crate::domain::hex::hexadecimal(Sha256::digest(settings).get(..16).unwrap_or_default())
}

impl CallError {
    fn outcome(&self) -> Outcome {
        match self {
            Self::Busy(_)
            | Self::Full(_)
            | Self::Crowded
            | Self::Waited { .. }
            | Self::Starved(_)
            | Self::Spent(_)
            | Self::Short
            | Self::GivenUp => Outcome::Busy,
            Self::Suspended { .. } => Outcome::Suspended,
            Self::Timeout(_) => Outcome::Timeout,
            Self::Exceeded(Exceeded::Memory { .. } | Exceeded::Table { .. }) => Outcome::Memory,
            Self::Exceeded(
                Exceeded::HostCalls { .. }
                | Exceeded::HandedOver { .. }
                | Exceeded::Slugs { .. }
                | Exceeded::Text { .. },
            ) => Outcome::HostCalls,
            Self::Exceeded(Exceeded::Waiting { .. }) => Outcome::Timeout,
            Self::Exceeded(Exceeded::Output { .. } | Exceeded::Items { .. }) => Outcome::OutputLimit,
            Self::Exceeded(Exceeded::Log { .. }) => Outcome::LogLimit,
            Self::Trapped { .. } => Outcome::Trapped,
            Self::Failed { .. } => Outcome::Failed,
            Self::Invalid(_) => Outcome::Invalid,
        }
    }

    fn limit(&self, usage: &Usage) -> Option<ReachedLimit> {
        let millis = |time: &Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let (name, unit, allowed, value) = match self {
            Self::Full(queue) => ("queue", "calls", count(*queue), None),
            Self::Busy(slot_timeout) => ("patience", "milliseconds", millis(slot_timeout), None),
            Self::Starved(deadline) => ("time", "milliseconds", millis(deadline), None),
            Self::Spent(budget) => ("time-of-all", "milliseconds", millis(budget), None),
            Self::Timeout(deadline) => ("time", "milliseconds", millis(deadline), Some(usage.micros() / 1_000)),
            Self::Exceeded(exceeded) => match *exceeded {
                Exceeded::Memory { limit, found } => ("memory", "bytes", count(limit), Some(count(found))),
                Exceeded::Table { limit, found } => ("table", "elements", count(limit), Some(count(found))),
                Exceeded::HostCalls { limit } => ("host-calls", "calls", limit.into(), Some(usage.host_calls.into())),
                Exceeded::Waiting { limit } => ("waiting", "milliseconds", millis(&limit), None),
                Exceeded::HandedOver { limit, found } => ("handed-over", "bytes", count(limit), Some(count(found))),
                Exceeded::Slugs { limit } => ("slugs", "slugs", count(limit), None),
                Exceeded::Text { limit, found } => ("text", "bytes", count(limit), Some(count(found))),
                Exceeded::Output { limit, found } => ("output", "bytes", count(limit), found.map(count)),
                Exceeded::Items { limit, found } => ("items", "items", count(limit), Some(count(found))),
                Exceeded::Log { limit, found } => ("log", "bytes", count(limit), Some(count(found))),
            },
            Self::Trapped { at_once, .. } => ("handed-over-at-once", "bytes", count((*at_once)?), None),
            Self::Crowded
            | Self::Short
            | Self::Waited { .. }
            | Self::GivenUp
            | Self::Suspended { .. }
            | Self::Failed { .. }
            | Self::Invalid(_) => return None,
        };
        Some(ReachedLimit { name: name.to_owned(), unit: unit.to_owned(), allowed, value })
    }
}
