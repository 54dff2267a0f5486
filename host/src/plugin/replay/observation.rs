//! A call that is observed: the question and the answer, copied while the call is made.
//!
//! Copies and does no other work, so that the request waits for no more than the copy.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::domain::message::Stage;
use crate::pipeline::Event;
use crate::resolve::{Decision, Facts, Journal};
use crate::store::Snapshot;

use super::answer::Answer;
use crate::plugin::worlds::amendment::Question;

/// A call that was made, and all that is needed to make it again.
#[derive(Debug, Clone)]
pub struct ObservedCall {
    /// When it was made.
    pub at: jiff::Timestamp,
    /// The tool kind; of a change of configuration its message.
    pub tool: String,
    /// The settings, as JSON.
    pub settings: String,
    /// The step that was asked; a rule was if there is none.
    pub step: Option<AskedStep>,
    /// The configuration it read.
    pub snapshot: Arc<Snapshot>,
    /// The person and the session.
    pub facts: Arc<Facts>,
    /// What it came to.
    pub answer: Answer,
    /// What granted calls answered.
    pub outside: Journal,
    /// Whether others that were asked before had a hand in what it was given: what is replaced elsewhere may be in
    /// that.
    pub is_derived: bool,
}

/// A step that was asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AskedStep {
    /// Its name in the manifest.
    pub name: String,
    /// What the environment tells it.
    pub configuration: Map<String, Value>,
    /// What it was asked about.
    pub about: About,
}

/// What a step was asked about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum About {
    /// A change of configuration.
    Change {
        /// The change.
        event: Event,
    },
    /// What a person gets of a tool.
    Tool {
        /// Before the rule or after it.
        stage: Stage,
        /// What was decided so far.
        decision: Option<Decision>,
        /// What else is known, by name.
        properties: Vec<(String, String)>,
    },
}

/// Sees calls of steps, each with the name of the plugin.
pub type StepObserver<'a> = &'a dyn Fn(String, ObservedCall);

/// What is known of a call before it is made.
pub(in crate::plugin) struct PendingObservation<'a> {
    pub(in crate::plugin) witness: StepObserver<'a>,
    pub(in crate::plugin) plugin: String,
    pub(in crate::plugin) at: jiff::Timestamp,
    pub(in crate::plugin) snapshot: Arc<Snapshot>,
    pub(in crate::plugin) facts: Arc<Facts>,
}

/// What a step was given, and what it came to.
pub(in crate::plugin) struct StepIo<'a> {
    pub(in crate::plugin) tool: &'a str,
    /// The settings, as JSON.
    pub(in crate::plugin) settings: &'a str,
    pub(in crate::plugin) step: AskedStep,
    pub(in crate::plugin) answer: Answer,
    pub(in crate::plugin) outside: Journal,
    pub(in crate::plugin) is_derived: bool,
}

impl AskedStep {
    /// A step that was asked about a change of configuration.
    pub(in crate::plugin) fn about_change(name: &str, configuration: &str, event: &Event) -> Self {
        Self::new(name, configuration, About::Change { event: event.clone() })
    }

    /// A step that was asked about a tool.
    pub(in crate::plugin) fn around_tool(name: &str, configuration: &str, question: &Question<'_>) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let properties = question.properties.iter().map(owned).collect();
        let (stage, decision) = (question.stage, question.decision.cloned());
        Self::new(name, configuration, About::Tool { stage, decision, properties })
    }

    fn new(name: &str, configuration: &str, about: About) -> Self {
        let configuration = serde_json::from_str(configuration).unwrap_or_default();
        Self { name: name.to_owned(), configuration, about }
    }

    /// What the environment tells it, as it is given that.
    pub fn configuration_text(&self) -> String {
        Value::Object(self.configuration.clone()).to_string()
    }
}

impl PendingObservation<'_> {
    /// Tells what was asked, and what came of it.
    pub(in crate::plugin) fn give(self, given: StepIo<'_>) {
        let Self { witness, plugin, at, snapshot, facts } = self;
        let StepIo { tool, settings, step, answer, outside, is_derived } = given;
        let (tool, settings, step) = (tool.to_owned(), settings.to_owned(), Some(step));
        witness(plugin, ObservedCall { at, tool, settings, step, snapshot, facts, answer, outside, is_derived });
    }
}
