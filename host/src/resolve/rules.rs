//! The rules of the tools, as resolution sees them: a question and a decision.
//!
//! How a rule runs is not known here. The sandbox implements [`ToolRules`], and so does a table in the tests.

use serde::{Deserialize, Serialize};

use crate::domain::experience::{Degraded, ToolFault};

use super::journal::Journal;
use super::reads::{Read, Reads};

/// Decides about tools.
pub trait ToolRules: Send + Sync {
    /// Asks the rule bound to `kind`. Nothing if no rule is bound to it.
    ///
    /// `settings` is a JSON object. Whatever goes wrong is an [`Outcome`](Evaluation), never a panic.
    fn evaluate(&self, kind: &str, settings: &str, reads: Reads) -> Option<Evaluation>;

    /// Names the rules that are bound, so that equal fingerprints give equal decisions: component digests by tool kind, with what
    /// they may reach outside.
    fn fingerprint(&self) -> String;
}

/// What came of asking a rule.
#[derive(Debug)]
pub struct Evaluation {
    /// The plugin that was asked, as `publisher/name version`.
    pub plugin: String,
    /// What it decided, or how it broke.
    pub outcome: Result<Decision, ToolFault>,
    /// What it read before.
    pub reads: Vec<Read>,
    /// What was done about its breaking, if `outcome` is not its own.
    pub degraded: Option<Degraded>,
    /// Whether the whole answer must not be given without it.
    pub ends: bool,
    /// How a version on trial broke, if the one that serves was asked in its place.
    pub passed_over: Option<ToolFault>,
    /// What granted calls answered, if that was to be kept.
    pub outside: Journal,
}

/// What a rule decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Decision {
    /// The tool is shown.
    Shown {
        /// For the control that draws it.
        payload: serde_json::Map<String, serde_json::Value>,
        /// The library items the payload names.
        items: Vec<ItemReference>,
    },
    /// The tool is hidden.
    Hidden {
        /// A stable code.
        code: String,
        /// One sentence for administrators.
        text: String,
    },
}

/// Names one library item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemReference {
    /// The collection.
    pub kind: String,
    /// The item.
    pub name: String,
}
