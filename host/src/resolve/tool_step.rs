//! Steps around the rule of a tool, as resolution sees them: the result of each, and its line in the explain tree.
//!
//! Does not know how a step runs, or which changes it may make.

use crate::domain::experience::{Explanation, Outcome, ToolFault};
use crate::domain::message::Stage;

use super::explain::line;
use super::reads::Read;

/// Most changes of one step that are named; of further ones only the number is given.
const NAMED: usize = 5;

/// A step that was called around a rule.
#[derive(Debug, Clone, PartialEq)]
pub struct StepRun {
    /// The plugin that was called, as `publisher/name version`.
    pub plugin: String,
    /// The step.
    pub step: String,
    /// Whether the step was called before the rule or after it.
    pub stage: Stage,
    /// The result of the step.
    pub came_to: StepEnd,
    /// The reads of the step.
    pub reads: Vec<Read>,
}

/// The result of a step around a rule.
#[derive(Debug, Clone, PartialEq)]
pub enum StepEnd {
    /// The step changed nothing.
    Agreed,
    /// The step changed these attributes.
    Changed(Vec<String>),
    /// The step hid the tool.
    Hid {
        /// A stable code.
        code: String,
        /// One sentence for administrators.
        text: String,
    },
    /// The step broke, and the tool is decided without it.
    PassedOver(ToolFault),
    /// The step broke, and no answer is given without it.
    Aborted(ToolFault),
}

impl StepRun {
    /// Returns the step's label for messages.
    pub fn label(&self) -> String {
        format!("step `{}` of {}", self.step, self.plugin)
    }

    /// Tells whether the step ran in `stage` and changed something.
    pub(super) fn changed_in(&self, stage: Stage) -> bool {
        self.stage == stage && matches!(self.came_to, StepEnd::Changed(_))
    }

    /// Returns the step's line in the explain tree, with its reads under it.
    pub(super) fn line(&self) -> Explanation {
        let stage = u32::from(self.stage);
        let (outcome, because) = match &self.came_to {
            StepEnd::Agreed => (Outcome::Agreed, format!("asked in stage {stage}, it changes nothing")),
            StepEnd::Changed(paths) => {
                let more = paths.len().saturating_sub(NAMED);
                let named = paths.iter().take(NAMED).map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", ");
                let and_more = if more > 0 { format!(" and {more} more") } else { String::new() };
                (Outcome::Changed, format!("asked in stage {stage}, it changes {named}{and_more}"))
            }
            StepEnd::Hid { text, .. } => {
                (Outcome::Hidden, format!("asked in stage {stage}, it hides the tool: {text}"))
            }
            StepEnd::PassedOver(fault) | StepEnd::Aborted(fault) => {
                (Outcome::Failed, format!("asked in stage {stage}, it broke: {}", fault.message))
            }
        };
        let under = self.reads.iter().map(Read::line).collect();
        Explanation { under, ..line("step", Some(&format!("{} {}", self.plugin, self.step)), outcome, because) }
    }
}

impl Read {
    /// Returns the read's line in the explain tree.
    pub(super) fn line(&self) -> Explanation {
        line("read", Some(&self.what), Outcome::Read, self.answer.clone())
    }
}
