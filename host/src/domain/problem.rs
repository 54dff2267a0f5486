//! What can be wrong with an item, attribute by attribute.

use std::fmt;

use serde::Serialize;

/// What is wrong with an item.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

/// One thing that is wrong with one attribute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// Where: an attribute, with dots and indexes for what lies deeper, such as `fields[4].title`.
    pub attribute: String,
    /// What is wrong and what would be right.
    pub message: String,
    /// Whether an import takes the item all the same and reports this.
    #[serde(skip)]
    pub tolerable: bool,
}

impl Problems {
    /// Adds something nobody may store.
    pub fn refuse(&mut self, attribute: impl Into<String>, message: impl Into<String>) {
        self.0.push(Problem { attribute: attribute.into(), message: message.into(), tolerable: false });
    }

    /// Adds something an author must mend, and an import of what exists elsewhere only reports.
    pub fn question(&mut self, attribute: impl Into<String>, message: impl Into<String>) {
        self.0.push(Problem { attribute: attribute.into(), message: message.into(), tolerable: true });
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.attribute.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "`{}`: {}", self.attribute, self.message)
        }
    }
}
