//! The check that the schema of settings in a manifest is that of their type.

use std::fs;
use std::path::Path;

use schemars::JsonSchema;
use serde_json::Value;
use toml::Table;

use super::update::{UPDATE, is_updating};

/// Compares the `[settings]` of a manifest with the schema of the type they are read into. With `LOADOUT_UPDATE=1` it
/// writes the schema there.
///
/// ```no_run
/// use loadout_sdk::schemars::JsonSchema;
///
/// #[derive(serde::Deserialize, JsonSchema)]
/// #[schemars(crate = "loadout_sdk::schemars")]
/// #[serde(deny_unknown_fields)]
/// struct Settings { most: u32 }
///
/// loadout_sdk::testing::check_settings_schema::<Settings>(concat!(env!("CARGO_MANIFEST_DIR"), "/plugin.toml"));
/// ```
///
/// # Panics
///
/// If the schemas differ: the message has the expected one. If the manifest cannot be read or written.
pub fn check_settings_schema<S: JsonSchema>(manifest: impl AsRef<Path>) {
    let (path, wanted) = (manifest.as_ref(), schema::<S>());
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("`{}` cannot be read: {error}", path.display()));
    let shown = path.display();
    let there = said(&text).unwrap_or_else(|error| panic!("`{shown}` is no manifest: {error}"));
    if there.as_ref().and_then(|there| serde_json::from_str(there).ok()).as_ref() == Some(&wanted) {
        return;
    }
    let section = section(&wanted);
    assert!(
        is_updating(),
        "the schema in `{shown}` is not that of the settings: run this test with `{UPDATE}=1`, or write\n\n{section}"
    );
    let by_hand = || panic!("`{shown}` has its schema in another form: write\n\n{section}");
    let text = replaced(&text, there.as_deref(), &section).unwrap_or_else(by_hand);
    fs::write(path, text).unwrap_or_else(|error| panic!("`{shown}` cannot be written: {error}"));
}

/// The schema of a type, without what says that it is one.
fn schema<S: JsonSchema>() -> Value {
    let mut schema = schemars::schema_for!(S);
    schema.remove("$schema");
    schema.remove("title");
    schema.to_value()
}

/// The schema in a manifest.
fn said(manifest: &str) -> Result<Option<String>, toml::de::Error> {
    let table: Table = manifest.parse()?;
    Ok(table.get("settings").and_then(|it| Some(it.get("schema")?.as_str()?.to_owned())))
}

fn section(schema: &Value) -> String {
    format!("[settings]\nschema = '''\n{schema:#}\n'''\n")
}

/// The manifest with another section. Nothing if its schema is not where one is usually written.
fn replaced(manifest: &str, there: Option<&str>, section: &str) -> Option<String> {
    let Some(there) = there else { return Some(format!("{}\n\n{section}", manifest.trim_end())) };
    let from = format!("[settings]\nschema = '''\n{there}'''\n");
    manifest.contains(&from).then(|| manifest.replacen(&from, section, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize, JsonSchema)]
    #[serde(rename_all = "camelCase", deny_unknown_fields, default)]
    #[derive(Default)]
    struct Settings {
        /// How many at most.
        most_offers: u8,
    }

    const MANIFEST: &str =
        "[plugin]\nname = \"offers\"\n\n[settings]\nschema = '''\n{ \"type\": \"object\" }\n'''\n\n[limits]\n";

    fn check(manifest: &Path) -> String {
        let panic = std::panic::catch_unwind(|| check_settings_schema::<Settings>(manifest));
        panic.err().map_or_else(|| "fits".to_owned(), |panic| *panic.downcast::<String>().unwrap())
    }

    #[test]
    fn a_schema_that_is_another_is_shown_as_it_should_be_and_can_be_put_there() {
        let path = std::env::temp_dir().join(format!("loadout-sdk-schema-{}.toml", std::process::id()));
        fs::write(&path, MANIFEST).unwrap();
        let said = check(&path);
        assert!(said.contains("run this test with `LOADOUT_UPDATE=1`, or write\n\n[settings]"), "{said}");
        for manifest in [MANIFEST, "[plugin]\nname = \"offers\"\n"] {
            let section = section(&schema::<Settings>());
            let text = replaced(manifest, self::said(manifest).unwrap().as_deref(), &section).unwrap();
            fs::write(&path, &text).unwrap();
            assert_eq!(check(&path), "fits", "{text}");
            assert_eq!(text.contains("[limits]"), manifest.contains("[limits]"));
        }
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn the_schema_has_what_the_type_says() {
        let expected = serde_json::json!({
            "type": "object",
            "properties": { "mostOffers": {
                "description": "How many at most.", "type": "integer", "format": "uint8", "minimum": 0, "maximum": 255, "default": 0,
            } },
            "additionalProperties": false,
        });
        assert_eq!(schema::<Settings>(), expected);
    }
}
