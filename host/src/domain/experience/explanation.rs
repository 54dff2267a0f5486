//! Why an answer is as it is, and what an administrator should mend.

use serde::{Deserialize, Serialize};

/// Something an administrator should mend.
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
    /// The losers, too, and what every rule component read.
    Full,
}

/// A line of the explain tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Explanation {
    /// What was decided, such as `profile`, `title` or `tool`.
    pub about: String,
    /// The candidate the line is about, by unique name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What became of it: `chosen`, `lost`, `shown`, `hidden`, `failed`, `opened`, `left-out`, `read`, `agreed` or `changed`.
    pub outcome: Outcome,
    /// One sentence.
    pub because: String,
    /// What the line rests on.
    #[schema(no_recursion)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub under: Vec<Explanation>,
}

/// What became of a candidate.
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
