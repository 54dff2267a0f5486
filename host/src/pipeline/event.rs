//! The event that a step is called with, and the step's answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::Kind;
use crate::domain::revision::ChangeRecord;

/// The input of one call of a step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The id of the event. It stays the same when the step is called again with the event.
    pub id: String,
    /// The message, such as `profile.update`.
    pub message: String,
    /// The stage: 10, 20 or 40.
    pub stage: u32,
    /// The number of calls of the step with this event, this one included.
    pub attempt: u32,
    /// The items that change.
    pub targets: Vec<Target>,
    /// The values that earlier steps of the operation left, as JSON by key.
    pub shared: BTreeMap<String, String>,
    /// Further properties of the change, by name.
    pub properties: Vec<(String, String)>,
    /// The request that made the change, for the record of the call. The step does not see it.
    #[serde(skip)]
    pub request: Option<Arc<str>>,
}

impl Event {
    /// The property that holds the author of the change.
    pub const AUTHOR: &str = "author";
    /// The property that holds the reason of the change.
    pub const REASON: &str = "reason";

    /// Returns the value of a property.
    pub fn property(&self, name: &str) -> Option<&str> {
        self.properties.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Tells whether a target is a person (a user) or an assignment.
    pub fn is_about_people(&self) -> bool {
        let people = [Kind::User.collection(), ChangeRecord::ASSIGNMENTS];
        self.targets.iter().any(|target| people.contains(&target.kind.as_str()))
    }

    /// Replaces the author and the reason of the change by `redacted`. Returns true if the event had either.
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
    /// The collection of the item.
    pub kind: String,
    /// The unique name of the item.
    pub name: String,
    /// The paths of the attributes that differ.
    pub changed: Vec<String>,
    /// The new values of the attributes that differ, as a JSON object.
    pub values: String,
    /// The images that the step registered, as JSON by alias.
    pub images: Vec<(String, String)>,
}

/// The answer of a step.
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
    /// Merge patches, each with the position of its target in the event, counted from 0.
    pub patches: Vec<(usize, Value)>,
    /// The values that the step leaves for later steps, as JSON by key.
    pub shared: Vec<(String, String)>,
}

impl Proposal {
    /// Refuses a patch once the change is made, a patch of a target at or beyond the count `targets`, and a shared
    /// value that is not JSON.
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
            Some((key, _)) => Err(StepFault::invalid(format!("its shared value `{key}` is not JSON"))),
            None => Ok(()),
        }
    }
}

/// Why a change must not happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Rejection {
    /// The step's own code.
    pub code: String,
    /// One sentence for the caller who tried the change.
    pub message: String,
    /// The attribute at fault; empty if no single attribute is.
    pub attribute: String,
}

/// The fault of a step that broke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepFault {
    /// A stable code, such as `plugin.timeout`.
    pub code: String,
    /// One sentence.
    pub message: String,
    /// The number of seconds after which a retry may succeed, as the step estimates it.
    pub retry_after: Option<u32>,
}

impl StepFault {
    /// Makes the fault of a step whose answer the host cannot apply.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self { code: "plugin.invalid-result".to_owned(), message: message.into(), retry_after: None }
    }
}
