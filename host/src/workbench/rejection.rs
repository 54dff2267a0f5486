//! Why a change or an upgrade would reject an answer that is well-formed.

/// The reason why a change or an upgrade would reject a well-formed answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Disbelief {
    /// A stable code.
    pub(super) code: String,
    /// The reason, as a sentence.
    pub(super) sentence: String,
}
