//! Steps around the rule of a tool, as resolution sees them: what each came to, and how that is told.
//!
//! How a step runs is not known here, and neither is what it may change.

use crate::domain::experience::{Explanation, Outcome, ToolFault};
use crate::domain::message::Stage;

use super::explain::line;
use super::reads::Read;

/// Changes of one step that are named; of more only the number is.
const NAMED: usize = 5;

/// A step that was asked around a rule.
#[derive(Debug, Clone, PartialEq)]
pub struct StepRun {
    /// The plugin that was asked, as `publisher/name version`.
    pub plugin: String,
    /// The step.
    pub step: String,
    /// Whether it was asked before the rule or after it.
    pub stage: Stage,
    /// What it came to.
    pub came_to: StepEnd,
    /// What it read before.
    pub reads: Vec<Read>,
}

/// What a step around a rule came to.
#[derive(Debug, Clone, PartialEq)]
pub enum StepEnd {
    /// It changed nothing.
    Agreed,
    /// It changed these attributes.
    Changed(Vec<String>),
    /// It hid the tool.
    Hid {
        /// A stable code.
        code: String,
        /// One sentence for administrators.
        text: String,
    },
    /// It broke, and the tool goes on without it.
    PassedOver(ToolFault),
    /// It broke, and no answer is given without it.
    Aborted(ToolFault),
}

impl StepRun {
    /// How it is called in a sentence.
    pub fn label(&self) -> String {
        format!("step `{}` of {}", self.step, self.plugin)
    }

    /// Whether it changed something in `stage`.
    pub(super) fn changed_in(&self, stage: Stage) -> bool {
        self.stage == stage && matches!(self.came_to, StepEnd::Changed(_))
    }

    /// The line of the explain tree, with what it read.
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
    /// The line of the explain tree.
    pub(super) fn line(&self) -> Explanation {
        line("read", Some(&self.what), Outcome::Read, self.answer.clone())
    }
}
