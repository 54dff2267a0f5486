//! The faults of an item, attribute by attribute.

use std::fmt;

use serde::Serialize;

/// The faults of an item.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

/// A fault of one attribute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// The path of the attribute, with dots and indexes, such as `fields[4].title`.
    pub attribute: String,
    /// The fault, and what would be right.
    pub message: String,
    /// Whether an import takes the item all the same and reports the fault.
    #[serde(skip)]
    pub tolerable: bool,
}

impl Problems {
    /// Adds a fault with which no item is stored.
    pub fn refuse(&mut self, attribute: impl Into<String>, message: impl Into<String>) {
        self.0.push(Problem { attribute: attribute.into(), message: message.into(), tolerable: false });
    }

    /// Adds a fault that an author must mend, and that an import of existing content only reports.
    pub fn question(&mut self, attribute: impl Into<String>, message: impl Into<String>) {
        self.0.push(Problem { attribute: attribute.into(), message: message.into(), tolerable: true });
    }

    /// Tells whether there is no fault.
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
