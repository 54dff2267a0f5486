//! A rule or a step that should decide about tools and cannot be called.

use std::sync::Arc;

/// A rule or a step that should decide about tools of a kind, or once did, and cannot be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absent {
    /// The rule or step that is absent.
    pub part: AbsentPart,
    /// Why it is absent, as a clause without a full stop.
    pub why: Arc<str>,
    /// What an administrator does about it, as a clause without a full stop.
    pub next: Arc<str>,
}

/// The kind of rule or step that is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AbsentPart {
    /// A rule whose plugin still answers for the kind. No other rule takes its place, and the tool's `withoutRule` does
    /// not apply.
    Rule,
    /// A step around the rule without which no answer may be given.
    Guard,
    /// A step around the rule that may be skipped.
    Step,
    /// A rule that was there once, or whose plugin is installed but not active. No plugin answers for the kind now.
    Former,
}
