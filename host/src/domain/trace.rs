//! The trace of one call of a plugin: its message, its outcome, the resources it used and its log.
//!
//! Holds no settings, no context and no answer: only a hash of the input, and the text that the plugin itself wrote
//! into its log.

mod id;
mod outcome;
mod settings;
mod statistics;
mod text;

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use id::{InvalidTraceId, TraceId};
pub use outcome::{Outcome, UnknownOutcome};
pub use settings::{PluginTraces, TextLevel, TraceSettings};
pub use statistics::{Histogram, Tally};
pub use text::{Dropped, LogLevel, LogLine, LogText};

/// The component that a trace is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Component {
    /// The plugin, as `publisher/name`.
    pub plugin: String,
    /// Its version.
    pub version: String,
    /// The SHA-256 of the component, in hexadecimal.
    pub digest: String,
}

/// The origin of a call. No guest sees it, and no decision depends on it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caller {
    /// The request, as the header `x-request-id` and the log call it.
    pub request: Option<Arc<str>>,
    /// The decision that the call is a part of.
    pub decision: Option<Arc<str>>,
    /// The name of the caller's token. No trace shows it.
    pub token: Option<Arc<str>>,
    /// The login of the person whose experience is asked; nothing for a hypothetical person. No trace shows it.
    pub user: Option<Arc<str>>,
}

/// Whether a caller waits for the call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = TraceMode)]
pub enum Mode {
    /// A caller waits for the answer.
    #[default]
    Sync,
    /// The call runs after the change.
    Async,
}

/// One call of a plugin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CallTrace {
    /// The id of the trace.
    pub id: TraceId,
    /// When the call began.
    #[schema(value_type = String, format = DateTime)]
    pub at: jiff::Timestamp,
    /// The request that caused the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub request: Option<Arc<str>>,
    /// The decision that the call was made for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub decision: Option<Arc<str>>,
    /// The message, such as `tool.evaluate`.
    pub message: String,
    /// The subject: a tool kind, a table or a collection.
    pub resource: String,
    /// The stage: 10 before everything, 20 before, 30 the operation itself, 40 after.
    pub stage: u8,
    /// The place among the steps of a stage, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<i32>,
    /// Whether a caller waited for the call.
    pub mode: Mode,
    /// The name of the step, if the call is one of a step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The component that was called.
    #[serde(flatten)]
    #[schema(value_type = Component)]
    pub component: Arc<Component>,
    /// How the call ended.
    pub outcome: Outcome,
    /// The fault, if the call broke.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<TraceFault>,
    /// The limit that ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<ReachedLimit>,
    /// The resources that the call used.
    #[serde(flatten)]
    pub usage: Usage,
    /// A hash of the settings or rows that the plugin received.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settings_hash: Option<String>,
    /// The calls to the host that were refused.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub refused: Vec<RefusedCall>,
    /// The number of calls that the trace stands for: more than one where successes came too fast to keep each.
    pub stands_for: u32,
    /// The functions that ran when it trapped, the innermost first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub backtrace: Vec<String>,
    /// The text that the plugin wrote: log lines and standard error. Lists leave it out, and the settings of traces
    /// may, too.
    #[serde(skip_serializing_if = "LogText::is_empty", default)]
    pub text: LogText,
}

/// The fault of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TraceFault {
    /// The stable code, as in the answer, such as `plugin.timeout`.
    pub code: String,
    /// One sentence.
    pub message: String,
}

/// A limit that a call went over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ReachedLimit {
    /// Its name: `time`, `time-of-all`, `memory`, `host-calls`, `handed-over`, `handed-over-at-once`, `output`,
    /// `items`, `log` or `patience`.
    pub name: String,
    /// Its unit: `milliseconds`, `bytes`, `calls` or `items`.
    pub unit: String,
    /// The amount allowed.
    pub allowed: u64,
    /// The amount when the call ended, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<u64>,
}

/// The resources that a call used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// Microseconds until the instance was ready.
    pub instantiate_micros: u64,
    /// Microseconds from then to the answer.
    pub run_micros: u64,
    /// Bytes of all its memories and tables at their largest.
    pub peak_memory: u64,
    /// Calls to the host.
    pub host_calls: u32,
    /// Bytes handed to the host in all these calls.
    pub handed_over: u64,
}

/// A call to the host that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RefusedCall {
    /// The function, such as `records.look-up`; followed by `suspended` while the circuit breaker of the outside host
    /// is open.
    pub name: String,
    /// The number of such calls.
    pub count: u32,
}

/// An observer of every call.
///
/// The thread that runs the call calls it before the answer returns, so it must return at once: it opens no file, and
/// takes no lock that is held for long.
pub trait Watch: fmt::Debug + Send + Sync {
    /// Takes the trace of a call that ended. Returns whether the trace is kept.
    fn saw(&self, trace: CallTrace) -> bool;
}

/// An observer that keeps nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn saw(&self, _: CallTrace) -> bool {
        false
    }
}

impl Usage {
    /// Returns the microseconds of the whole call.
    pub fn micros(&self) -> u64 {
        self.instantiate_micros.saturating_add(self.run_micros)
    }
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.plugin, self.version)
    }
}
