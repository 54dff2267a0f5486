//! The recording of a call: all it was given and all it answered, so that it can be made again elsewhere.
//!
//! What is kept was made again before it is kept, over what is left after redaction: so the answer belongs to what is
//! in the recording, whatever was replaced in it. A secret is never part of what a call was given.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::domain::trace::TraceId;
use crate::domain::{Digest, PluginVersion, RecordingSettings, Redaction, Revision};
use crate::pipeline::Event;
use crate::resolve::{Facts, Journal, Reads};
use crate::store::Snapshot;

use super::answer::Answer;
use super::inquiry::{Inquiry, Replayed};
use super::observation::{About, AskedStep, ObservedCall};
use crate::plugin::load::loader::{Loader, Ready};
use crate::plugin::manifest::Manifest;
use crate::plugin::sandbox::trace as record;

/// The newest form of recordings this program knows.
const FORMAT: u32 = 2;

/// The form of recordings of rules.
const RULE_FORMAT: u32 = 1;

/// A call, whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CallRecording {
    /// The form of the recording: 1 of a rule, 2 of a step.
    pub format: u32,
    /// What the recording is known by.
    pub id: TraceId,
    /// When it was made.
    pub at: jiff::Timestamp,
    /// The revision the answer was made from.
    pub revision: Revision,
    /// The login of the person it was about; of a change of configuration, who made it.
    pub user: Option<String>,
    /// The plugin, as `publisher/name`.
    pub plugin: String,
    /// The version that was asked.
    pub version: PluginVersion,
    /// The SHA-256 of its component, in hexadecimal.
    pub digest: Digest,
    /// The world the component is built for.
    pub world: String,
    /// The tool kind it decided about; of a change of configuration its message.
    pub tool: String,
    /// The settings the tool was given; empty of a change of configuration.
    pub settings: Map<String, Value>,
    /// The step that was asked; the rule was if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<AskedStep>,
    /// The person and the session, as far as a rule can see them.
    pub facts: Facts,
    /// What it asked the host.
    pub journal: Journal,
    /// What it answered.
    pub answer: Answer,
    /// What was replaced.
    pub redacted: Vec<String>,
    /// Whether it answered the same when it was asked again. Of a call in which something it can see was replaced
    /// the host cannot tell: it keeps the second answer then.
    pub reproduced: Option<bool>,
}

/// A text that is no recording.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the sentences say all there is to say")]
pub enum InvalidRecording {
    #[error("it is no recording of a call: {0}")]
    Shape(#[from] serde_json::Error),
    #[error("the recording has form {found}, and this program knows {FORMAT}: use a newer program")]
    Newer { found: u64 },
}

impl CallRecording {
    /// Reads a recording.
    pub fn parse(text: &str) -> Result<Self, InvalidRecording> {
        let body: Value = serde_json::from_str(text)?;
        match body.get("format").and_then(Value::as_u64) {
            Some(found) if found > u64::from(FORMAT) => Err(InvalidRecording::Newer { found }),
            _ => Ok(serde_json::from_value(body)?),
        }
    }

    /// The recording of a call of `ready`. Nothing if the component has no such rule or step, or if what is to be
    /// replaced may be in what others made of it.
    pub fn make(loader: &Loader, ready: &Ready, call: &ObservedCall, settings: &RecordingSettings) -> Option<Self> {
        if call.is_derived && settings.replaces_values() {
            return None;
        }
        let (mut facts, mut step) = (Facts::clone(&call.facts), call.step.clone());
        let mut redacted = settings.redact(&mut facts.context);
        let hides_outside = settings.redact.contains(&Redaction::Outside) && !call.outside.calls().is_empty();
        if hides_outside {
            redacted.push(Redaction::Outside.to_string());
        }
        let outside = if hides_outside { Arc::default() } else { Arc::new(call.outside.clone()) };
        let hides_user = settings.redact.contains(&Redaction::User);
        let mut user = facts.caller.user.take().map(|login| login.to_string());
        if let Some(AskedStep { about: About::Change { event }, .. }) = &mut step {
            if hides_user && event.is_about_people() {
                return None;
            }
            user = event.property(Event::AUTHOR).map(str::to_owned);
            if hides_user && event.hide_author() {
                redacted.push(Event::AUTHOR.to_owned());
            }
        }
        let seen_alike = redacted.is_empty();
        if hides_user {
            redacted.push(Redaction::User.to_string());
        }
        let user = user.filter(|_| !hides_user);
        let inquiry = Inquiry { tool: &call.tool, settings: &call.settings, step: step.as_ref() };
        let reads = Reads::new(Arc::clone(&call.snapshot), Arc::new(facts.clone())).answered_by(outside);
        let Replayed { answer, journal } = loader.replay(ready, inquiry, reads)?;
        // For want of room it was not asked: a recording of that would be of no call.
        if answer.says_nothing() {
            return None;
        }
        let reproduced = seen_alike.then(|| call.answer.agrees_with(&answer));
        let manifest = ready.manifest();
        Some(Self {
            format: if step.is_some() { FORMAT } else { RULE_FORMAT },
            id: record::name(call.at),
            at: call.at,
            revision: call.snapshot.revision(),
            user,
            plugin: manifest.full_name(),
            version: manifest.version,
            digest: ready.digest().clone(),
            world: manifest.world.clone(),
            tool: call.tool.clone(),
            settings: serde_json::from_str(&call.settings).unwrap_or_default(),
            step,
            facts,
            journal,
            // What was really answered, wherever it belongs to what is kept.
            answer: if seen_alike { call.answer.clone() } else { answer },
            redacted,
            reproduced,
        })
    }

    /// The settings, as a rule is given them.
    pub fn settings_text(&self) -> String {
        Value::Object(self.settings.clone()).to_string()
    }

    /// Whether a plugin has what was asked.
    pub fn concerns(&self, manifest: &Manifest) -> bool {
        self.step.as_ref().map_or_else(|| manifest.decides_about(&self.tool), |step| manifest.has_step(&step.name))
    }

    /// What was asked, as text: equal for equal questions, whenever and how often they were put.
    pub fn question(&self) -> String {
        let step = self.step.clone().map(|mut step| {
            if let About::Change { event } = &mut step.about {
                (event.id, event.attempt) = (String::new(), 0);
            }
            json!(step).to_string()
        });
        let (settings, facts) = (self.settings_text(), self.facts.visible());
        format!("{}\n{settings}\n{facts}{}", self.tool, step.map_or_else(String::new, |step| format!("\n{step}")))
    }

    /// Makes the call again from what was recorded alone.
    pub fn replay(&self, loader: &Loader, ready: &Ready) -> Option<Replayed> {
        self.ask(loader, ready, Reads::from_journal(Arc::new(self.journal.clone()), Arc::new(self.facts.clone())))
    }

    /// Makes the call over another configuration. What was asked of others than the host is answered as recorded.
    pub fn ask_over(&self, loader: &Loader, ready: &Ready, snapshot: &Arc<Snapshot>) -> Option<Replayed> {
        let answers = Arc::new(self.journal.clone());
        let reads = Reads::new(Arc::clone(snapshot), Arc::new(self.facts.clone())).answered_by(answers);
        self.ask(loader, ready, reads)
    }

    fn ask(&self, loader: &Loader, ready: &Ready, reads: Reads) -> Option<Replayed> {
        let settings = self.settings_text();
        loader.replay(ready, Inquiry { tool: &self.tool, settings: &settings, step: self.step.as_ref() }, reads)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_the_same_after_they_were_written_and_read() {
        // A walk over all that a number can be, in steps that are odd.
        let all = std::iter::successors(Some(1_u64), |bits| Some(bits.wrapping_mul(6_364_136_223_846_793_005) + 1));
        let numbers = all.map(f64::from_bits).filter(|number| number.is_finite()).take(10_000);
        let settings: Map<String, Value> = numbers.enumerate().map(|(at, it)| (at.to_string(), it.into())).collect();
        let recording = CallRecording {
            format: RULE_FORMAT,
            id: record::name(jiff::Timestamp::UNIX_EPOCH),
            at: jiff::Timestamp::UNIX_EPOCH,
            revision: Revision(1),
            user: None,
            plugin: "contoso/desk".to_owned(),
            version: "1.0.0".parse().unwrap(),
            digest: "0".repeat(64).parse().unwrap(),
            world: String::new(),
            tool: "scripts".to_owned(),
            settings,
            step: None,
            facts: Facts::default(),
            journal: Journal::default(),
            answer: Answer::Hidden { code: "no-customer".to_owned(), text: String::new() },
            redacted: Vec::new(),
            reproduced: None,
        };
        let text = serde_json::to_string(&recording).unwrap();
        assert_eq!(CallRecording::parse(&text).unwrap().settings_text(), recording.settings_text());
    }

    #[test]
    fn what_is_no_recording_is_refused_with_the_reason() {
        for (text, expected) in [
            ("{", "it is no recording of a call: EOF while parsing an object at line 1 column 1"),
            (r#"{"format": 3}"#, "the recording has form 3, and this program knows 2: use a newer program"),
            (r#"{"format": 1}"#, "it is no recording of a call: missing field `id`"),
        ] {
            assert_eq!(CallRecording::parse(text).unwrap_err().to_string(), expected);
        }
    }
}
