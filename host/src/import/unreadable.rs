//! Why a row of an archive cannot be used.

/// Why a row, or a part of it, is not imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unreadable(pub(super) String);
