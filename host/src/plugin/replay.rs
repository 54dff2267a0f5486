//! A call made once more: nobody waits for it, no record says so, and no breaker hears of it.

use crate::resolve::{Journal, ReadSet, Reads};

use super::amendment::Question;
use super::answer::Answer;
use super::observation::{About, AskedStep};
use super::workshop::{Part, Ready, Workshop};

/// The code of a call that read what the journal has no answer to.
pub const UNRECORDED: &str = "replay.unrecorded";

/// What came of a call that was made once more.
#[derive(Debug, Clone, PartialEq)]
pub struct Replayed {
    /// What the component came to.
    pub answer: Answer,
    /// What it asked the host.
    pub journal: Journal,
}

/// What a component was asked.
#[derive(Debug, Clone, Copy)]
pub struct Inquiry<'a> {
    /// The tool kind.
    pub tool: &'a str,
    /// The settings of the tool, as JSON.
    pub settings: &'a str,
    /// The step that is asked; the rule if there is none.
    pub step: Option<&'a AskedStep>,
}

impl Workshop {
    /// Asks a component. Nothing if it has no such rule or step.
    pub fn replay(&self, ready: &Ready, inquiry: Inquiry<'_>, reads: Reads) -> Option<Replayed> {
        let (answer, reads) = self.rehearse(ready, inquiry, reads.with_journal())?;
        let answer = match reads.unrecorded {
            Some(read) => Answer::Failed {
                code: UNRECORDED.to_owned(),
                message: format!("it asked `{read}`, which the recorded call did not"),
            },
            None => answer,
        };
        Some(Replayed { answer, journal: reads.journal.unwrap_or_default() })
    }

    fn rehearse(&self, ready: &Ready, inquiry: Inquiry<'_>, reads: Reads) -> Option<(Answer, ReadSet)> {
        let Inquiry { tool, settings, step } = inquiry;
        let step = step.filter(|step| ready.manifest().has_step(&step.name));
        Some(match (&ready.part, step.map(|step| (step, &step.about))) {
            (Part::Rule(plugin), None) if inquiry.step.is_none() => {
                let (decided, reads) = plugin.rehearse(self.engine(), settings, reads);
                (decided.map_or_else(|error| (&error).into(), Answer::from), reads)
            }
            (Part::Handler(handler), Some((step, About::Change { event }))) => {
                let told = step.configuration_text();
                let (outcome, reads) = handler.rehearse(self.engine(), &step.name, &told, event, reads);
                (outcome.map_or_else(|error| (&error).into(), |outcome| (&outcome).into()), reads)
            }
            (Part::ToolSteps(steps), Some((step, About::Tool { stage, decision, properties }))) => {
                let told = step.configuration_text();
                let properties: Vec<_> =
                    properties.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                let decision = decision.as_ref();
                let question = Question { tool, stage: *stage, settings, decision, properties: &properties };
                let (amendment, reads) = steps.rehearse(self.engine(), &step.name, &told, &question, reads);
                (amendment.map_or_else(|error| (&error).into(), |amendment| (&amendment).into()), reads)
            }
            _ => return None,
        })
    }
}
