//! What may stand in `plugin.toml`, read off the types that read it.
//!
//! For the reference of authors. Says which keys there are; what their values may be is refused where they are checked.

use serde_json::Value;
use utoipa::PartialSchema;

use super::file::{File, Header};
use super::{Manifest, capabilities, limits, migrations, settings, steps, tool, tool_steps, upgrade};
use crate::pipeline::Image;

/// A table of the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestTable {
    /// As it is written, such as `[plugin]`; the whole file has none.
    pub header: &'static str,
    /// What it is about, one or more sentences.
    pub about: String,
    /// Its keys.
    pub keys: Vec<ManifestKey>,
}

/// A key of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestKey {
    /// The key.
    pub name: String,
    /// What it means.
    pub about: String,
    /// Whether there is no manifest without it.
    pub required: bool,
}

impl Manifest {
    /// Every table there may be, with its keys.
    pub fn reference() -> Vec<ManifestTable> {
        let mut tables = vec![
            table::<File>("the file"),
            table::<Header>("[plugin]"),
            table::<tool::Part>("[tool]"),
            table::<steps::Part>("[[steps]] of the world step"),
            table::<Image>("[[steps]] images"),
            table::<tool_steps::Part>("[[steps]] of the world tool-step"),
            table::<upgrade::Part>("[upgrade]"),
            table::<upgrade::TablePart>("[[upgrade.tables]]"),
            table::<settings::Part>("[settings]"),
            table::<migrations::Part>("[[settings.migrations]]"),
            table::<migrations::OperationPart>("[[settings.migrations]] operations"),
            table::<migrations::ExamplePart>("[[settings.migrations]] examples"),
            table::<limits::Part>("[limits]"),
            table::<capabilities::Part>("[capabilities]"),
        ];
        // A key that is a table means what the table is about.
        let about: Vec<_> = tables.iter().map(|table| (table.header, table.about.clone())).collect();
        for key in tables.iter_mut().flat_map(|table| &mut table.keys).filter(|key| key.about.is_empty()) {
            let header = format!("[{}]", key.name);
            key.about = about.iter().find(|(it, _)| *it == header).map(|(_, about)| about.clone()).unwrap_or_default();
        }
        tables
    }
}

fn table<T: PartialSchema>(header: &'static str) -> ManifestTable {
    let schema = serde_json::to_value(T::schema()).unwrap_or_default();
    let about = |schema: &Value| {
        let text = schema["description"].as_str().unwrap_or_default();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let required = |name: &str| schema["required"].as_array().is_some_and(|names| names.iter().any(|it| it == name));
    let keys = schema["properties"].as_object().into_iter().flatten();
    let keys = keys.map(|(name, key)| ManifestKey { name: name.clone(), about: about(key), required: required(name) });
    ManifestTable { header, about: about(&schema), keys: keys.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_says_what_it_means() {
        for table in Manifest::reference() {
            assert!(!table.about.is_empty(), "{} is about something", table.header);
            assert!(!table.keys.is_empty(), "{} has keys", table.header);
            for key in table.keys {
                assert!(!key.about.is_empty(), "`{}` of {} means something", key.name, table.header);
            }
        }
    }

    #[test]
    fn what_has_to_be_there_is_told_apart() {
        let tables = Manifest::reference();
        let required = |header: &str| {
            let table = tables.iter().find(|table| table.header == header).unwrap();
            table.keys.iter().filter(|key| key.required).map(|key| key.name.clone()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(required("[plugin]"), "description name publisher version world");
        assert_eq!(required("[tool]"), "kinds");
        assert_eq!(required("[limits]"), "");
    }
}
