//! `[upgrade]` of a manifest: what a step of upgrades is given, and after whom.
//!
//! Refuses tables that no environment can have, and readers and versions that this host does not know.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::domain::plugin::is_plugin_name;
use crate::upgrade::{READER, SourceTable, Version};

use super::error::{ManifestError, check};

const MOST_TABLES: usize = 64;
const MOST_STEPS_BEFORE: usize = 64;
const MOST_TABLES_WITH: usize = 64;

/// What a step of upgrades says about itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UpgradeSection {
    /// The steps that must be through before, as `publisher/name`.
    pub after: Vec<String>,
    /// The tables it reads.
    pub tables: Vec<SourceTable>,
    /// The first version of an old environment it reads; every one if there is none.
    pub from: Option<Version>,
    /// The first version it no longer reads.
    pub before: Option<Version>,
}

/// What a step of upgrades is given.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UpgradePart)]
pub(super) struct Part {
    /// The steps that must be through before, as `publisher/name`.
    #[serde(default)]
    after: Vec<String>,
    /// The way rows are handed out; this host knows 1.
    reader: u32,
    /// The first version of old environments it is for.
    from: Option<String>,
    /// The first version it is not for any more.
    before: Option<String>,
    /// The tables whose rows it migrates, 1 to 64.
    tables: Vec<TablePart>,
}

/// A table of old environments.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TablePart {
    /// What it is called there.
    name: String,
    /// Tables whose rows come along where they name a row, are named by it, or are linked to it.
    #[serde(default)]
    with: Vec<String>,
    /// Whether all rows come on one page.
    #[serde(default)]
    together: bool,
}

impl Part {
    /// The step, if it makes sense.
    pub(super) fn checked(self) -> Result<UpgradeSection, ManifestError> {
        let offered = format!("this host reads old environments as reader 1 to {READER} does");
        check("upgrade.reader", &self.reader.to_string(), (1..=READER).contains(&self.reader), &offered)?;
        let before = self.after.len();
        check("upgrade.after", &before.to_string(), before <= MOST_STEPS_BEFORE, "64 steps are the most")?;
        for step in &self.after {
            let is_step =
                step.split_once('/').is_some_and(|(publisher, name)| is_plugin_name(publisher) && is_plugin_name(name));
            check("upgrade.after", step, is_step, "a step is named as `publisher/name`")?;
        }
        let count = (1..=MOST_TABLES).contains(&self.tables.len());
        check("upgrade.tables", &self.tables.len().to_string(), count, "a step reads 1 to 64 tables")?;
        for table in &self.tables {
            let with = table.with.len();
            check("upgrade.tables.with", &with.to_string(), with <= MOST_TABLES_WITH, "64 tables are the most")?;
        }
        for table in self.tables.iter().flat_map(|table| table.with.iter().chain([&table.name])) {
            check("upgrade.tables", table, is_table(table), "a table has up to 128 of a-z, 0-9 and `_`")?;
        }
        let version = |key, text: Option<String>| {
            let parsed = text.map(|text| text.parse::<Version>().map_err(|_| text)).transpose();
            parsed.map_err(|text| ManifestError::Value {
                key,
                value: text,
                rule: "a version has numbers and dots, such as `9.1`".to_owned(),
            })
        };
        let from = version("upgrade.from", self.from)?;
        let before = version("upgrade.before", self.before)?;
        let tables = self
            .tables
            .into_iter()
            .map(|it| SourceTable { name: it.name, with: it.with, together: it.together })
            .collect();
        Ok(UpgradeSection { after: self.after, tables, from, before })
    }
}

fn is_table(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=128).contains(&text.len()) && text.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::manifest::Manifest;
    use crate::plugin::manifest::provides::Provides;

    const STEP: &str = r#"
        [plugin]
        publisher = "loadout"
        name = "console"
        version = "0.1.0"
        world = "loadout:plugin/upgrade@0.1.0"
        description = "Old console tables."
        [upgrade]
        after = ["loadout/first"]
        reader = 1
        before = "9.2"
        [[upgrade.tables]]
        name = "old_tab"
        with = ["old_parameter"]
        [limits]
        deadline-ms = 2000
    "#;

    #[test]
    fn a_step_says_what_it_reads_and_after_what() {
        let Provides::UpgradeStep(step) = Manifest::parse(STEP).unwrap().provides else { panic!("it is a step") };
        let table = SourceTable { name: "old_tab".to_owned(), with: vec!["old_parameter".to_owned()], together: false };
        assert_eq!((step.after, step.tables), (vec!["loadout/first".to_owned()], vec![table]));
        assert_eq!((step.from, step.before), (None, "9.2".parse().ok()));
        for (from, to, expected) in [
            ("reader = 1", "reader = 9", "its manifest says `upgrade.reader = 9`; this host reads"),
            ("loadout/first", "first", "its manifest says `upgrade.after = first`; a step is named"),
            ("\"9.2\"", "\"soon\"", "its manifest says `upgrade.before = soon`; a version has numbers"),
            ("\"old_tab\"", "\"Old Tab\"", "its manifest says `upgrade.tables = Old Tab`; a table has"),
            (
                "[plugin]",
                "[capabilities]\nrecords = [\"crm\"]\n[plugin]",
                "its manifest cannot be read: `[capabilities]` means nothing in the world",
            ),
            ("[upgrade]", "[tool]\nkinds = [\"a\"]\n[upgrade]", "its manifest cannot be read: `[tool]` means nothing"),
            ("2000", "20000", "its manifest says `limits.deadline-ms = 20000`; 1 to 10000 is possible"),
        ] {
            let error = Manifest::parse(&STEP.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.starts_with(expected), "`{to}` gave: {error}");
        }
    }
}
