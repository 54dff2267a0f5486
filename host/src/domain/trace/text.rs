//! What a plugin wrote: the beginning and the end of it, and how much is missing between.

use serde::{Deserialize, Serialize};

/// What a plugin wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = TraceText)]
pub struct LogText {
    /// The lines that were kept, in order.
    pub lines: Vec<LogLine>,
    /// What is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dropped: Option<Dropped>,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = TraceLine)]
pub struct LogLine {
    /// How much it matters.
    pub level: LogLevel,
    /// What it says.
    pub text: String,
}

/// How much a line matters, or that it came over standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = TraceLevel)]
pub enum LogLevel {
    /// For the author.
    Debug,
    /// Worth knowing.
    Info,
    /// Something to look into.
    Warning,
    /// Standard error.
    Stderr,
}

/// What did not fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = DroppedTraceText)]
pub struct Dropped {
    /// How many of the kept lines stand before it.
    pub behind: u32,
    /// Whole lines.
    pub lines: u32,
    /// Bytes, those of lines that were cut included.
    pub bytes: u64,
}

impl LogText {
    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.dropped.is_none()
    }
}
