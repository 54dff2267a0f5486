//! The steps of an upgrade, as the engine sees them: their declarations, input and answers.
//!
//! This module does not know how a step runs. The sandbox implements [`Steps`], and so does a table in the tests. The
//! engine checks every answer.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::Serialize;

use crate::domain::{Row, RowKey};
use crate::store::Snapshot;

/// The version of the way in which this host hands out rows. It rises when that changes.
pub const READER: u32 = 1;

/// Runs steps.
pub trait Steps: Send + Sync {
    /// All steps, in no particular order.
    fn infos(&self) -> &[StepInfo];

    /// Lets a step check a page. `library` is the configuration before the step.
    fn check(&self, step: &str, page: &Page, library: &Arc<Snapshot>) -> Result<Vec<StepNote>, StepFault>;

    /// Lets a step migrate a page.
    fn migrate(&self, step: &str, page: &Page, library: &Arc<Snapshot>) -> Result<Migration, StepFault>;
}

/// The declaration of a step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StepInfo {
    /// The name of the step, as `publisher/name`.
    pub name: String,
    /// The version of the step.
    pub version: String,
    /// The SHA-256 of the component, in hexadecimal.
    pub digest: String,
    /// The steps that must be done before.
    pub after: Vec<String>,
    /// The tables that the step reads.
    pub tables: Vec<SourceTable>,
    /// The first version of an old environment that the step reads; `None` for all.
    pub from: Option<Version>,
    /// The first version that the step no longer reads.
    pub before: Option<Version>,
}

/// A table that a step reads, and the related tables that it needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceTable {
    /// The name of the table.
    pub name: String,
    /// The tables whose rows come along if they refer to a row, are referred to by it, or are linked to it.
    pub with: Vec<String>,
    /// Whether all rows of the table come on one page, because the items they become depend on each other.
    pub together: bool,
}

/// The version of an old environment, such as `9.2.23111`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(Vec<u64>);

/// The error for a text that is no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no version: use numbers and dots, such as `9.2`")]
pub struct InvalidVersion(String);

/// Rows to migrate, with the rows around them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Rows that must each become a source of an upsert or be quarantined.
    pub rows: Vec<Row>,
    /// Rows that come along, each once.
    pub related: Vec<Row>,
}

/// A step's answer to a page, unchecked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Migration {
    /// The proposed items.
    pub upserts: Vec<Upsert>,
    /// Rows that cannot be used.
    pub quarantine: Vec<Quarantined>,
    /// Notes for administrators.
    pub notes: Vec<StepNote>,
}

/// A proposed item, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Upsert {
    /// The collection.
    pub kind: String,
    /// The name that the step proposes.
    pub name: String,
    /// Further names by which references may call the item.
    pub aliases: Vec<String>,
    /// Whether the attributes are merged into an existing item.
    pub merges: bool,
    /// The attributes, as a JSON object.
    pub attributes: String,
    /// The rows the item was made from. The first is the one it stands for.
    pub sources: Vec<RowKey>,
}

/// A row that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// The row.
    pub row: RowKey,
    /// A stable code.
    pub code: String,
    /// The reason, in one sentence.
    pub reason: String,
}

/// A note for administrators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepNote {
    /// A stable code.
    pub code: String,
    /// The row the note is about.
    pub row: Option<RowKey>,
    /// The note, in one sentence.
    pub message: String,
}

/// The failure of a step, or its statement that it cannot work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("step `{step}` stopped the upgrade, and nothing of it was written: {message} ({code})")]
pub struct StepFault {
    /// The step, as `publisher/name version`.
    pub step: String,
    /// A stable code, such as `plugin.timeout` or `step.lost-row`.
    pub code: String,
    /// What happened, in one sentence.
    pub message: String,
}

impl StepInfo {
    /// `publisher/name version`, for people.
    pub fn label(&self) -> String {
        format!("{} {}", self.name, self.version)
    }

    /// Whether the step reads environments of `version`. Every step reads an environment of unknown version.
    pub fn reads(&self, version: Option<&Version>) -> bool {
        let Some(version) = version else { return true };
        self.from.as_ref().is_none_or(|from| version >= from)
            && self.before.as_ref().is_none_or(|before| version < before)
    }
}

impl FromStr for Version {
    type Err = InvalidVersion;

    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        let parts: Result<Vec<u64>, _> = text.trim().split('.').map(str::parse).collect();
        let mut parts = parts.map_err(|_| InvalidVersion(text.to_owned()))?;
        // 9.1 and 9.1.0 are the same version.
        while parts.len() > 1 && parts.last() == Some(&0) {
            parts.pop();
        }
        Ok(Self(parts))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.0.iter().map(u64::to_string).collect();
        f.write_str(&parts.join("."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_reads_the_versions_it_names() {
        let info = StepInfo { from: "9.0".parse().ok(), before: "9.2.5".parse().ok(), ..StepInfo::default() };
        for (version, expected) in
            [("8.9", false), ("9", true), ("9.2.4.100", true), ("9.2.5.0", false), ("10.1", false)]
        {
            assert_eq!(info.reads(version.parse().ok().as_ref()), expected, "{version}");
        }
        assert!(info.reads(None));
        assert_eq!(
            "x.1".parse::<Version>().unwrap_err().to_string(),
            "`x.1` is no version: use numbers and dots, such as `9.2`"
        );
    }
}
