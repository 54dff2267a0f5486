//! The limits that a call can exceed, with their stable codes.

use std::time::Duration;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// A limit a call went over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Exceeded {
    /// Memories and tables.
    #[error("it asked for more than {} MiB of memory", limit / MIB)]
    Memory {
        /// How much it may have.
        limit: usize,
        /// How much it asked for.
        found: usize,
    },
    /// Elements of one table.
    #[error("it asked for more than {limit} elements in a table")]
    Table {
        /// How many there may be.
        limit: usize,
        /// How many it asked for.
        found: usize,
    },
    /// Calls to imports.
    #[error("it made more than {limit} calls to the host")]
    HostCalls {
        /// How many it may make.
        limit: u32,
    },
    /// Time spent waiting for others.
    #[error("it had the host wait {} ms for others, and asked again", limit.as_millis())]
    Waiting {
        /// How long that may be.
        limit: Duration,
    },
    /// Bytes handed to imports.
    #[error("it handed more than {} KiB to the host", limit / KIB)]
    HandedOver {
        /// How much it may hand over.
        limit: usize,
        /// How much it handed over.
        found: usize,
    },
    /// Slugs of one text that is rendered.
    #[error("it had a text with more than {limit} slugs rendered")]
    Slugs {
        /// How many there may be.
        limit: usize,
    },
    /// Bytes of one text that is rendered.
    #[error("it had a text of more than {} KiB rendered", limit / KIB)]
    Text {
        /// How long it may be.
        limit: usize,
        /// How long it is.
        found: usize,
    },
    /// Bytes of a decision.
    #[error("its answer is larger than {} KiB", limit / KIB)]
    Output {
        /// How large it may be.
        limit: usize,
        /// How large it is, if the host could measure it.
        found: Option<usize>,
    },
    /// Items of a decision.
    #[error("its answer names {found} items; at most {limit} are allowed")]
    Items {
        /// How many there are.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
    /// Trace lines and standard error, including those that were dropped.
    #[error("it went on writing beyond {} KiB of trace lines and standard error", limit / KIB)]
    Log {
        /// How much is kept.
        limit: usize,
        /// How much it wrote.
        found: usize,
    },
}

impl Exceeded {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Memory { .. } | Self::Table { .. } => "plugin.memory",
            Self::HostCalls { .. } | Self::HandedOver { .. } | Self::Slugs { .. } | Self::Text { .. } => {
                "plugin.host-calls"
            }
            Self::Waiting { .. } => "plugin.timeout",
            Self::Output { .. } | Self::Items { .. } => "plugin.output-limit",
            Self::Log { .. } => "plugin.log-limit",
        }
    }
}
