//! What a step is asked, and what it answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::Kind;
use crate::domain::revision::ChangeRecord;

/// A question to a step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The same each time a step is asked about it.
    pub id: String,
    /// What happens, such as `profile.update`.
    pub message: String,
    /// 10, 20 or 40.
    pub stage: u32,
    /// How often the step was asked about it, this time included.
    pub attempt: u32,
    /// The items that change.
    pub targets: Vec<Target>,
    /// What steps asked earlier left, as JSON by key.
    pub shared: BTreeMap<String, String>,
    /// What else is known, by name.
    pub properties: Vec<(String, String)>,
    /// The request that led to it, for the record of the call. No step sees it.
    #[serde(skip)]
    pub request: Option<Arc<str>>,
}

impl Event {
    /// The property that says who makes the change.
    pub const AUTHOR: &str = "author";
    /// The property that says why.
    pub const REASON: &str = "reason";

    /// What is known under a name.
    pub fn property(&self, name: &str) -> Option<&str> {
        self.properties.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether people are among what changes, or what they are given.
    pub fn is_about_people(&self) -> bool {
        let people = [Kind::User.collection(), ChangeRecord::ASSIGNMENTS];
        self.targets.iter().any(|target| people.contains(&target.kind.as_str()))
    }

    /// Replaces who makes the change, and why. Answers whether there was anything to replace.
    pub fn hide_author(&mut self) -> bool {
        let mut hidden = false;
        for (name, value) in &mut self.properties {
            if name == Self::AUTHOR || name == Self::REASON {
                (*value, hidden) = ("redacted".to_owned(), true);
            }
        }
        hidden
    }
}

/// One item that changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// The collection.
    pub kind: String,
    /// The item.
    pub name: String,
    /// The paths of the attributes that differ.
    pub changed: Vec<String>,
    /// The attributes that differ as they will be, a JSON object.
    pub values: String,
    /// What else the step is shown, as JSON by alias.
    pub images: Vec<(String, String)>,
}

/// What a step answers.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The change goes on.
    Proceed(Proposal),
    /// The change must not happen.
    Reject(Rejection),
}

/// What a step adds to a change.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Proposal {
    /// Merge patches of targets, by their position.
    pub patches: Vec<(usize, Value)>,
    /// What later steps shall find, as JSON by key.
    pub shared: Vec<(String, String)>,
}

impl Proposal {
    /// Refuses what no change could take: patches once the change is made, or of targets that are not among so many, and what is left as
    /// no JSON.
    pub fn check(&self, is_made: bool, targets: usize) -> Result<(), StepFault> {
        if is_made && !self.patches.is_empty() {
            return Err(StepFault::invalid("it patches in stage 40, when the change is made: patch in stage 10 or 20"));
        }
        if let Some((target, _)) = self.patches.iter().find(|(target, _)| *target >= targets) {
            return Err(StepFault::invalid(format!(
                "it patches target {target}, and there are {targets}, counted from 0"
            )));
        }
        let is_json = |value: &str| serde_json::from_str::<serde::de::IgnoredAny>(value).is_ok();
        match self.shared.iter().find(|(_, value)| !is_json(value)) {
            Some((key, _)) => Err(StepFault::invalid(format!("what it leaves as `{key}` is no JSON"))),
            None => Ok(()),
        }
    }
}

/// Why a change must not happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Rejection {
    /// The step's own code.
    pub code: String,
    /// One sentence for the person who tried.
    pub message: String,
    /// The attribute that is wrong; empty if it is no single one.
    pub attribute: String,
}

/// How a step broke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepFault {
    /// A stable code, such as `plugin.timeout`.
    pub code: String,
    /// One sentence.
    pub message: String,
    /// Seconds after which the step may succeed, in its own opinion.
    pub retry_after: Option<u32>,
}

impl StepFault {
    /// What a step answered cannot be carried out.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self { code: "plugin.invalid-result".to_owned(), message: message.into(), retry_after: None }
    }
}
