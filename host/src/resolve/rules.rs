//! The rules of the tools, as resolution sees them: a question and a decision.
//!
//! How a rule runs is not known here. The sandbox implements [`ToolRules`], and so does a table in the tests.

use serde::{Deserialize, Serialize};

use crate::domain::experience::{Degraded, ToolFault};

use super::absent::Absent;
use super::journal::Journal;
use super::queries::Queries;
use super::reads::{Read, Reads};
use super::tool_step::{StepEnd, StepRun};

/// Decides about tools.
pub trait ToolRules: Send + Sync {
    /// Asks the rule bound to `kind`, and the steps around it. Nothing if there is neither.
    ///
    /// `settings` is a JSON object. Whatever goes wrong is an [`Outcome`](Evaluation), never a panic.
    fn evaluate(&self, kind: &str, settings: &str, reads: Reads) -> Option<Evaluation>;

    /// Names the rules that are bound and the steps around them, so that equal fingerprints give equal decisions: component digests by
    /// tool kind, with what they may reach outside; steps in their order, with what they are told.
    fn fingerprint(&self) -> String;

    /// Whether a rule is bound to `kind`.
    fn has_rule(&self, kind: &str) -> bool;

    /// Who is asked for business records while one answer is made; nothing if no connector is named for that.
    fn queries(&self) -> Option<Box<dyn Queries + '_>> {
        None
    }

    /// What should decide about tools of `kind`, or take part in that, and is not asked.
    fn absent(&self, kind: &str) -> &[Absent];
}

/// What came of asking a rule, and the steps around it.
#[derive(Debug)]
pub struct Evaluation {
    /// The plugin whose rule was asked, as `publisher/name version`; nothing if none was.
    pub plugin: Option<String>,
    /// What was decided, or how what had to decide broke.
    pub outcome: Result<Decision, ToolFault>,
    /// What the rule read before.
    pub reads: Vec<Read>,
    /// What was done about its breaking, if `outcome` is not its own.
    pub degraded: Option<Degraded>,
    /// Whether the whole answer must not be given without it.
    pub ends: bool,
    /// How a version on trial broke, if the one that serves was asked in its place.
    pub passed_over: Option<ToolFault>,
    /// What granted calls answered, if that was to be kept.
    pub outside: Journal,
    /// The steps that were asked around the rule, in order.
    pub steps: Vec<StepRun>,
    /// What the rule itself was asked and answered.
    pub rule: RuleCall,
}

/// What a rule itself was asked and answered.
#[derive(Debug, Clone, PartialEq)]
pub enum RuleCall {
    /// It was asked.
    Asked {
        /// The settings it was given, if steps changed them.
        settings: Option<String>,
        /// What it answered, if steps changed that.
        outcome: Option<Result<Decision, ToolFault>>,
    },
    /// It was not asked: a step hid the tool before, or there is none.
    Never,
}

impl Evaluation {
    /// What came of asking a rule alone.
    pub fn of_rule(plugin: String, outcome: Result<Decision, ToolFault>, reads: Vec<Read>) -> Self {
        let rule = RuleCall::Asked { settings: None, outcome: None };
        Self { plugin: Some(plugin), reads, rule, ..Self::without_rule(outcome) }
    }

    /// What is decided where no rule was asked.
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

    /// The settings the rule itself was given, and what it answered. `settings` are those of the tool.
    pub fn rule_call<'a>(&'a self, settings: &'a str) -> Option<(&'a str, &'a Result<Decision, ToolFault>)> {
        match &self.rule {
            RuleCall::Asked { settings: given, outcome } => {
                Some((given.as_deref().unwrap_or(settings), outcome.as_ref().unwrap_or(&self.outcome)))
            }
            RuleCall::Never => None,
        }
    }

    /// The step that hid the tool, if one did. It is the last that was asked.
    pub fn hidden_by(&self) -> Option<&StepRun> {
        self.steps.last().filter(|step| matches!(step.came_to, StepEnd::Hid { .. }))
    }
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
