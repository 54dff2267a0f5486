//! The explain tree and the warnings of an answer.

use serde::{Deserialize, Serialize};

/// A fault that an administrator should mend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Warning {
    /// A stable code, such as `slug-unresolved`.
    pub code: String,
    /// One sentence that names the item.
    pub message: String,
}

/// How deep an answer explains itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ExplainLevel {
    /// Not at all.
    #[default]
    None,
    /// The choices that were made.
    Reasons,
    /// Also the candidates that lost, and the reads of every rule component.
    Full,
}

/// A line of the explain tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Explanation {
    /// The subject of the decision, such as `profile`, `title` or `tool`.
    pub about: String,
    /// The candidate the line is about, by unique name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The outcome: `chosen`, `lost`, `shown`, `hidden`, `failed`, `opened`, `left-out`, `read`, `agreed` or `changed`.
    pub outcome: Outcome,
    /// One sentence.
    pub because: String,
    /// The lines that this line rests on.
    #[schema(no_recursion)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub under: Vec<Explanation>,
}

/// The outcome of a decision about a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say all there is to say")]
pub enum Outcome {
    Chosen,
    Lost,
    Shown,
    Hidden,
    Failed,
    Opened,
    LeftOut,
    Read,
    Agreed,
    Changed,
}
