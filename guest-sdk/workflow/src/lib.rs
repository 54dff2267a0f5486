//! Reads and evaluates the workflow definitions in which macros and default-script expressions are stored.
//!
//! A definition is JSON: `actions` by name, each with a `type`, its `inputs`, and `runAfter`, which orders them. An
//! action of type `If` has an `expression`, the `actions` of its true branch, and an `else`. The host reads definitions
//! to check what is saved; rule components evaluate them. Both must agree, so both use this crate.
//!
//! Runs no action and knows no slugs: the caller passes a function that returns the value of a text.
//!
//! ```
//! let workflow = loadout_workflow::Workflow::parse(r#"{
//!   "actions": { "Condition": {
//!     "type": "If",
//!     "expression": { "and": [{ "equals": ["${customerName}", "Ada"] }] },
//!     "actions": { "Set": { "type": "Set_default_agent_script", "inputs": { "ScriptId": "contoso_vip" } } },
//!     "else": { "actions": {} }
//!   } }
//! }"#)?;
//! let resolve = |text: &str| if text == "${customerName}" { "Ada".to_owned() } else { text.to_owned() };
//! assert_eq!(workflow.default_script(&resolve)?, Some("contoso_vip".to_owned()));
//! # Ok::<(), loadout_workflow::Error>(())
//! ```

mod action;
mod condition;

pub use action::{Action, Workflow};
pub use condition::{Condition, Operator};

/// Deepest nesting of branches and conditions that is read.
pub const DEPTH_MAX: usize = 64;

/// A definition that cannot be read or evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is not JSON.
    #[error("the workflow definition is not JSON: {0}")]
    NotJson(String),
    /// There are no `actions` where they belong.
    #[error("the workflow definition has no `actions` object")]
    NoActions,
    /// An action has a shape it must not have.
    #[error("action `{action}`: {reason}")]
    Action {
        /// The action, by name.
        action: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A condition uses an operator or a shape that is not known.
    #[error("condition `{condition}` is not understood: {reason}")]
    Condition {
        /// The condition, as it stands there, shortened.
        condition: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Actions wait for each other, or for one that is not there.
    #[error("action `{0}` never runs: what it runs after is missing, or waits for it")]
    Order(String),
    /// Branches or conditions are nested deeper than [`DEPTH_MAX`].
    #[error("branches are nested deeper than {DEPTH_MAX} levels")]
    TooDeep,
}
