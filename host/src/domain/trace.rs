//! The record of one call of a plugin: what was asked, how it ended, what it used and what it wrote.
//!
//! Holds no settings, no context and no answer: of what a plugin was given only a hash is kept, and of what it said only what
//! it wrote into its log itself.

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

/// A component, as every call of it is recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Component {
    /// The plugin, as `publisher/name`.
    pub plugin: String,
    /// Its version.
    pub version: String,
    /// The SHA-256 of the component, in hexadecimal.
    pub digest: String,
}

/// Who caused a call. No guest sees it, and nothing depends on it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caller {
    /// The request, as the header `x-request-id` and the log call it.
    pub request: Option<Arc<str>>,
    /// The decision that is being made.
    pub decision: Option<Arc<str>>,
    /// The token that was shown. No record of a call shows it.
    pub token: Option<Arc<str>>,
    /// The login of the person it is about, if that is somebody who exists. No record of a call shows it.
    pub user: Option<Arc<str>>,
}

/// How a call relates to whoever waits for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = TraceMode)]
pub enum Mode {
    /// Somebody waits for its answer.
    #[default]
    Sync,
    /// It runs after the fact.
    Async,
}

/// One call of a plugin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CallTrace {
    /// What the record is known by.
    pub id: TraceId,
    /// When the call began.
    #[schema(value_type = String, format = DateTime)]
    pub at: jiff::Timestamp,
    /// The request that caused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub request: Option<Arc<str>>,
    /// The decision it was made for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub decision: Option<Arc<str>>,
    /// What was asked, such as `tool.evaluate`.
    pub message: String,
    /// About what: a tool kind, a table or a collection.
    pub resource: String,
    /// The stage: 10 before everything, 20 before, 30 the operation itself, 40 after.
    pub stage: u8,
    /// The place among the steps of a stage, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<i32>,
    /// Whether somebody waited.
    pub mode: Mode,
    /// The name of the step, where the plugin is asked as one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// Who was asked.
    #[serde(flatten)]
    #[schema(value_type = Component)]
    pub component: Arc<Component>,
    /// How the call ended.
    pub outcome: Outcome,
    /// How it broke.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<TraceFault>,
    /// The limit that ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<ReachedLimit>,
    /// What it used.
    #[serde(flatten)]
    pub usage: Usage,
    /// A hash of the settings or rows it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settings_hash: Option<String>,
    /// The calls to the host that were refused.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub refused: Vec<RefusedCall>,
    /// How many calls the record stands for: more than one where successes came too fast to keep each.
    pub stands_for: u32,
    /// The functions that ran when it trapped, the innermost first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub backtrace: Vec<String>,
    /// What it wrote: trace lines and standard error. Lists leave it out, and so do settings that say so.
    #[serde(skip_serializing_if = "LogText::is_empty", default)]
    pub text: LogText,
}

/// How a call broke.
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
    /// Which: `time`, `time-of-all`, `memory`, `host-calls`, `handed-over`, `handed-over-at-once`, `output`, `items`,
    /// `log` or `patience`.
    pub name: String,
    /// In what it is counted: `milliseconds`, `bytes`, `calls` or `items`.
    pub unit: String,
    /// How much is allowed.
    pub allowed: u64,
    /// How much it was when the call ended, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<u64>,
}

/// What a call used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// Microseconds until the instance was there.
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
    /// What was called, such as `records.look-up`; with `suspended` behind it where the host outside is not asked for now.
    pub name: String,
    /// How often.
    pub count: u32,
}

/// Sees every call.
///
/// Called by whoever waits for the answer, so it must return at once: no file, no lock that somebody holds for long.
pub trait Watch: fmt::Debug + Send + Sync {
    /// Takes the record of a call that ended. Answers whether it is kept to be looked at.
    fn saw(&self, trace: CallTrace) -> bool;
}

/// Sees nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn saw(&self, _: CallTrace) -> bool {
        false
    }
}

impl Usage {
    /// Microseconds of the whole call.
    pub fn micros(&self) -> u64 {
        self.instantiate_micros.saturating_add(self.run_micros)
    }
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.plugin, self.version)
    }
}
