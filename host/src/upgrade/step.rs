//! The steps of an upgrade, as the engine sees them: what they declare, what they are asked, what they answer.
//!
//! How a step runs is not known here. The sandbox implements [`Steps`], and so does a table in the tests. Nothing a step answers
//! is believed: the engine checks it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::Serialize;

use crate::domain::{Row, RowKey};
use crate::store::Snapshot;

/// The way this host hands out rows. It grows when rows come to steps in another way.
pub const READER: u32 = 1;

/// Runs steps.
pub trait Steps: Send + Sync {
    /// The steps that are there, in no particular order.
    fn infos(&self) -> &[StepInfo];

    /// Lets a step look at a page. `library` is the configuration as it is before the step.
    fn check(&self, step: &str, page: &Page, library: &Arc<Snapshot>) -> Result<Vec<StepNote>, StepFault>;

    /// Lets a step migrate a page.
    fn migrate(&self, step: &str, page: &Page, library: &Arc<Snapshot>) -> Result<Migration, StepFault>;
}

/// What a step declares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StepInfo {
    /// Its name, as `publisher/name`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The SHA-256 of the component, in hexadecimal.
    pub digest: String,
    /// The steps that must be through before.
    pub after: Vec<String>,
    /// The tables it reads.
    pub tables: Vec<SourceTable>,
    /// The first version of an old environment it reads; every one if there is none.
    pub from: Option<Version>,
    /// The first version it no longer reads.
    pub before: Option<Version>,
}

/// A table a step reads, and what it needs to see beside each row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceTable {
    /// The table.
    pub name: String,
    /// The tables whose rows come along where they name a row, are named by it or are linked to it.
    pub with: Vec<String>,
    /// Whether all its rows come on one page, because what they become depends on each other.
    pub together: bool,
}

/// The version of an old environment, such as `9.2.23111`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(Vec<u64>);

/// A text that is no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no version: use numbers and dots, such as `9.2`")]
pub struct InvalidVersion(String);

/// Rows to migrate, with the rows around them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Each must become a source of an upsert, or be quarantined.
    pub rows: Vec<Row>,
    /// Rows that come along, each once.
    pub related: Vec<Row>,
}

/// What a step made of a page, unchecked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Migration {
    /// Items that shall be as described.
    pub upserts: Vec<Upsert>,
    /// Rows that cannot be used.
    pub quarantine: Vec<Quarantined>,
    /// What an administrator should know.
    pub notes: Vec<StepNote>,
}

/// An item that shall be as described, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Upsert {
    /// The collection.
    pub kind: String,
    /// How the item was called.
    pub name: String,
    /// What else references may call it.
    pub aliases: Vec<String>,
    /// Whether the attributes are merged into what is there.
    pub merges: bool,
    /// A JSON object.
    pub attributes: String,
    /// The rows it was made from; the first is the one it stands for.
    pub sources: Vec<RowKey>,
}

/// A row that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// The row.
    pub row: RowKey,
    /// A stable code.
    pub code: String,
    /// One sentence.
    pub reason: String,
}

/// What an administrator should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepNote {
    /// A stable code.
    pub code: String,
    /// The row it is about.
    pub row: Option<RowKey>,
    /// One sentence.
    pub message: String,
}

/// A step that broke, or said that it cannot work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("step `{step}` stopped the upgrade, and nothing of it was written: {message} ({code})")]
pub struct StepFault {
    /// The step, as `publisher/name version`.
    pub step: String,
    /// A stable code, such as `plugin.timeout` or `step.lost-row`.
    pub code: String,
    /// What it did.
    pub message: String,
}

impl StepInfo {
    /// `publisher/name version`, for people.
    pub fn label(&self) -> String {
        format!("{} {}", self.name, self.version)
    }

    /// Whether the step reads environments of `version`. One whose version nobody knows is read by every step.
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
