//! What a step wants of a change.

use serde_json::Value;

/// The answer of a step: let the change go on, or reject it.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The change goes on, with these additions.
    Proceed(Proposal),
    /// The change must not happen. Never counts as a fault of the step.
    Reject(Rejection),
}

/// Additions to a change.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Proposal {
    /// JSON merge patches of targets, by the position of the target.
    pub patches: Vec<(usize, Value)>,
    /// Values for later steps of the same change, by key.
    pub shared: Vec<(String, Value)>,
}

/// The reason why a change must not happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// A stable code in lower case with hyphens, such as `rank-reserved`.
    pub code: String,
    /// One sentence for the person who tried.
    pub message: String,
    /// The attribute that is wrong, as a path; empty if it is no single one.
    pub attribute: String,
}

impl Outcome {
    /// Lets the change go on.
    ///
    /// ```
    /// use loadout_sdk::step::{Outcome, Proposal};
    /// assert_eq!(Outcome::proceed(), Outcome::Proceed(Proposal::default()));
    /// ```
    pub fn proceed() -> Self {
        Self::Proceed(Proposal::default())
    }

    /// Rejects the change. `code` is stable, in lower case with hyphens; `message` is one sentence for the
    /// person who tried.
    ///
    /// ```
    /// use loadout_sdk::step::{Outcome, Rejection};
    /// let Outcome::Reject(Rejection { code, attribute, .. }) = Outcome::reject("rank-reserved", "Take another rank.") else {
    ///     unreachable!()
    /// };
    /// assert_eq!((code.as_str(), attribute.as_str()), ("rank-reserved", ""));
    /// ```
    pub fn reject(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Reject(Rejection { code: code.into(), message: message.into(), attribute: String::new() })
    }

    /// Names the attribute that is wrong, as a path. Does nothing if the change goes on.
    ///
    /// ```
    /// use loadout_sdk::step::Outcome;
    /// let outcome = Outcome::reject("rank-reserved", "Take another rank.").at("rank");
    /// assert!(matches!(outcome, Outcome::Reject(rejection) if rejection.attribute == "rank"));
    /// ```
    #[must_use]
    pub fn at(mut self, attribute: &str) -> Self {
        if let Self::Reject(rejection) = &mut self {
            rejection.attribute = attribute.to_owned();
        }
        self
    }

    /// Changes a target by a JSON merge patch. `target` is its position in the event. Only in stages 10 and 20. Does
    /// nothing if the change is rejected.
    ///
    /// ```
    /// use loadout_sdk::step::Outcome;
    /// let outcome = Outcome::proceed().patch(0, serde_json::json!({ "name": "Desk" }));
    /// assert!(matches!(outcome, Outcome::Proceed(proposal) if proposal.patches.len() == 1));
    /// ```
    #[must_use]
    pub fn patch(mut self, target: usize, patch: Value) -> Self {
        if let Self::Proceed(proposal) = &mut self {
            proposal.patches.push((target, patch));
        }
        self
    }

    /// Shares a value with later steps of the same change, which read it with `Event::shared`.
    ///
    /// ```
    /// use loadout_sdk::step::Outcome;
    /// let outcome = Outcome::proceed().share("seen", 3);
    /// assert!(matches!(outcome, Outcome::Proceed(proposal) if proposal.shared[0].1 == 3));
    /// ```
    #[must_use]
    pub fn share(mut self, key: &str, value: impl Into<Value>) -> Self {
        if let Self::Proceed(proposal) = &mut self {
            proposal.shared.push((key.to_owned(), value.into()));
        }
        self
    }
}
