//! The rules of the tools, as resolution sees them: settings and reads in, a decision out.
//!
//! Does not know how a rule runs: the sandbox implements [`ToolRules`], and so does a table in the tests.

use serde::{Deserialize, Serialize};

use crate::domain::experience::{Degraded, ToolFault};

use super::absent_part::Absent;
use super::journal::Journal;
use super::queries::Queries;
use super::reads::{Read, Reads};
use super::tool_step::{StepEnd, StepRun};

/// The rules that decide about tools, and the steps around them.
pub trait ToolRules: Send + Sync {
    /// Calls the rule bound to `kind`, and the steps around it. Returns nothing if there is neither.
    ///
    /// `settings` is a JSON object. Returns every fault in the [`Evaluation`]; never panics.
    fn evaluate(&self, kind: &str, settings: &str, reads: Reads) -> Option<Evaluation>;

    /// Names the rules that are bound and the steps around them, so that equal fingerprints give equal decisions:
    /// component digests by tool kind, with their granted capabilities; steps in their order, with their
    /// configurations.
    fn fingerprint(&self) -> String;

    /// Tells whether a rule is bound to `kind`.
    fn has_rule(&self, kind: &str) -> bool;

    /// Returns the look-up of business records for one answer; nothing if the environment names no connector for slugs.
    fn queries(&self) -> Option<Box<dyn Queries + '_>> {
        None
    }

    /// Returns the rules and steps that should decide about tools of `kind` and cannot be called.
    fn absent(&self, kind: &str) -> &[Absent];
}

/// The result of calling a rule and the steps around it.
#[derive(Debug)]
pub struct Evaluation {
    /// The plugin whose rule was called, as `publisher/name version`; nothing if none was.
    pub plugin: Option<String>,
    /// The decision, or the fault of the rule or step that had to make it.
    pub outcome: Result<Decision, ToolFault>,
    /// The reads of the rule.
    pub reads: Vec<Read>,
    /// The policy that supplied `outcome` in place of the rule's own, and the rule's fault.
    pub degraded: Option<Degraded>,
    /// Whether a fault in `outcome` fails the whole answer.
    pub ends: bool,
    /// The fault of a version on trial, if the active version was called in its place.
    pub passed_over: Option<ToolFault>,
    /// The answers of granted calls, if they were to be kept.
    pub outside: Journal,
    /// The steps that were called around the rule, in order.
    pub steps: Vec<StepRun>,
    /// The input and the answer of the rule itself.
    pub rule: RuleCall,
}

/// The input and the answer of a rule itself, before and after the changes of steps.
#[derive(Debug, Clone, PartialEq)]
pub enum RuleCall {
    /// The rule was called.
    Asked {
        /// The settings that the rule received, if steps changed them.
        settings: Option<String>,
        /// The answer of the rule, if steps changed it.
        outcome: Option<Result<Decision, ToolFault>>,
    },
    /// No rule was called: a step hid the tool before, or there is no rule.
    Never,
}

impl Evaluation {
    /// Makes the result of calling a rule without steps.
    pub fn of_rule(plugin: String, outcome: Result<Decision, ToolFault>, reads: Vec<Read>) -> Self {
        let rule = RuleCall::Asked { settings: None, outcome: None };
        Self { plugin: Some(plugin), reads, rule, ..Self::without_rule(outcome) }
    }

    /// Makes the result where no rule was called.
    pub fn without_rule(outcome: Result<Decision, ToolFault>) -> Self {
        Self {
            plugin: None,
            outcome,
            reads: Vec::new(),
            degraded: None,
            ends: false,
            passed_over: None,
            outside: Journal::default(),
            steps: Vec::new(),
            rule: RuleCall::Never,
        }
    }

    /// Returns the settings that the rule received, and its answer. `settings` are those of the tool.
    pub fn rule_call<'a>(&'a self, settings: &'a str) -> Option<(&'a str, &'a Result<Decision, ToolFault>)> {
        match &self.rule {
            RuleCall::Asked { settings: given, outcome } => {
                Some((given.as_deref().unwrap_or(settings), outcome.as_ref().unwrap_or(&self.outcome)))
            }
            RuleCall::Never => None,
        }
    }

    /// Returns the step that hid the tool, if one did. It is the last step that was called.
    pub fn hidden_by(&self) -> Option<&StepRun> {
        self.steps.last().filter(|step| matches!(step.came_to, StepEnd::Hid { .. }))
    }
}

/// The decision of a rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Decision {
    /// The tool is shown.
    Shown {
        /// The data for the control that draws the tool.
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

/// A reference to one library item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemReference {
    /// The collection of the item.
    pub kind: String,
    /// The unique name of the item.
    pub name: String,
}
