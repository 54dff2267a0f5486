//! A call made once more: no request waits for it, no record names it, and no breaker counts it.

use crate::domain::trace::{LogText, RefusedCall, Usage};
use crate::pipeline::Outcome;
use crate::resolve::{Decision, Journal, Read, Reads};
use crate::upgrade::{Migration, Page};

use super::answer::Answer;
use super::observation::{About, AskedStep};
use crate::plugin::limits::call_error::CallError;
use crate::plugin::load::loader::{Callable, Loader, Ready};
use crate::plugin::sandbox::trace::CallSummary;
use crate::plugin::worlds::amendment::{Question, StepProposal};

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

/// A call that no request waited for, and how it went.
#[derive(Debug)]
pub struct Examined {
    /// What the component said, or how it broke.
    pub answer: Result<Reply, CallError>,
    /// What it read, each read once.
    pub reads: Vec<Read>,
    /// What it used.
    pub usage: Usage,
    /// What it wrote.
    pub text: LogText,
    /// The functions that ran when it trapped, the innermost first.
    pub backtrace: Vec<String>,
    /// The calls to the host that were refused.
    pub refused: Vec<RefusedCall>,
    /// What it burnt, where the engine counts fuel: the same whatever the machine.
    pub fuel: Option<u64>,
}

/// What a component said, in its own words.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// A rule decides.
    Decision(Decision),
    /// A step in a change agrees or refuses.
    Outcome(Outcome),
    /// A step around a rule wants something different. What comes of it can be.
    StepProposal(StepProposal),
    /// A step of upgrades made something of a page.
    Migration(Migration),
}

/// What a component said, and what it comes to.
struct Said {
    reply: Reply,
    answer: Answer,
}

/// A call, and what is left of it.
type Rehearsed = (Result<Said, CallError>, (Reads, CallSummary));

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

impl Loader {
    /// Asks a component. Nothing if it has no such rule or step.
    pub fn replay(&self, ready: &Ready, inquiry: Inquiry<'_>, reads: Reads) -> Option<Replayed> {
        let (answer, (reads, _)) = self.rehearse(ready, inquiry, reads.with_journal())?;
        let reads = reads.into_set();
        let answer = match reads.unrecorded {
            Some(read) => Answer::Failed {
                code: UNRECORDED.to_owned(),
                message: format!("it asked `{read}`, which the recorded call did not"),
            },
            None => answer.map_or_else(|error| (&error).into(), |said| said.answer),
        };
        Some(Replayed { answer, journal: reads.journal.unwrap_or_default() })
    }

    /// Asks a component, and looks at how it went about it. Nothing if it has no such rule or step.
    pub fn examine(&self, ready: &Ready, inquiry: Inquiry<'_>, reads: Reads) -> Option<Examined> {
        let (answer, left) = self.rehearse(ready, inquiry, reads)?;
        Some(examined(answer.map(|said| said.reply), left))
    }

    /// Lets a step of upgrades migrate a page, and looks at how it went about it. Nothing if the component is none.
    pub fn examine_page(&self, ready: &Ready, page: &Page, reads: Reads) -> Option<Examined> {
        let Callable::UpgradeStep(step) = &ready.part else { return None };
        let (answer, left) = step.rehearse(self.engine(), page, reads);
        Some(examined(answer.map(Reply::Migration), left))
    }

    fn rehearse(&self, ready: &Ready, inquiry: Inquiry<'_>, reads: Reads) -> Option<Rehearsed> {
        let Inquiry { tool, settings, step } = inquiry;
        let step = step.filter(|step| ready.manifest().has_step(&step.name));
        let engine = self.engine();
        // What is asked once more takes no more than its share from those who wait for an answer.
        let Some(_turn) = engine.turn_aside(ready.weight()) else {
            return Some((Err(CallError::Busy(engine.config.slot_timeout)), (reads, CallSummary::default())));
        };
        Some(match (&ready.part, step.map(|step| (step, &step.about))) {
            (Callable::ToolRule(plugin), None) if inquiry.step.is_none() => {
                let (decided, left) = plugin.rehearse(engine, settings, reads);
                let said = |it: Decision| Said { answer: it.clone().into(), reply: Reply::Decision(it) };
                (decided.map(said), left)
            }
            (Callable::ConfigurationSteps(handler), Some((step, About::Change { event }))) => {
                let told = step.configuration_text();
                let (outcome, left) = handler.rehearse(engine, &step.name, &told, event, reads);
                let said = |it: Outcome| Said { answer: (&it).into(), reply: Reply::Outcome(it) };
                (outcome.map(said), left)
            }
            (Callable::ToolSteps(steps), Some((step, About::Tool { stage, decision, properties }))) => {
                let told = step.configuration_text();
                let properties: Vec<_> =
                    properties.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                let decision = decision.as_ref();
                let question = Question { tool, stage: *stage, settings, decision, properties: &properties };
                let (wanted, left) = steps.rehearse(engine, &step.name, &told, &question, reads);
                let said = |(wish, it)| Said { answer: Answer::from(&it), reply: Reply::StepProposal(wish) };
                (wanted.map(said), left)
            }
            _ => return None,
        })
    }
}

fn examined(answer: Result<Reply, CallError>, (reads, summary): (Reads, CallSummary)) -> Examined {
    let CallSummary { usage, text, backtrace, refused, fuel, waited: _ } = summary;
    Examined { answer, reads: reads.into_recorded(), usage, text, backtrace, refused, fuel }
}
