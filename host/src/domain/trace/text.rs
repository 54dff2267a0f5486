//! The text that a plugin wrote: its beginning and its end, and how much is missing between.

use serde::{Deserialize, Serialize};

/// The text that a plugin wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = TraceText)]
pub struct LogText {
    /// The lines that were kept, in order.
    pub lines: Vec<LogLine>,
    /// The part that is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dropped: Option<Dropped>,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = TraceLine)]
pub struct LogLine {
    /// The level of the line.
    pub level: LogLevel,
    /// The text of the line.
    pub text: String,
}

/// The level of a line, or that it came over standard error.
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

/// The part of the text that did not fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = DroppedTraceText)]
pub struct Dropped {
    /// The number of kept lines before it.
    pub behind: u32,
    /// The number of whole lines.
    pub lines: u32,
    /// The number of bytes, those of cut lines included.
    pub bytes: u64,
}

impl LogText {
    /// Tells whether the plugin wrote nothing.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.dropped.is_none()
    }
}
