//! What a plugin says about itself: the text of `plugin.toml`, which travels inside the component.
//!
//! Unknown keys are refused by name, and so is everything this host could not keep a promise about.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::limits::{Limits, Modesty};

/// The world of tool plugins, the only one this host runs.
pub(super) const TOOL_WORLD: &str = "loadout:plugin/tool@0.1.0";

const LONGEST_NAME: usize = 64;
const LONGEST_DESCRIPTION: usize = 500;
const MOST_KINDS: usize = 32;

/// What a plugin says about itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// Who made it, such as `loadout`.
    pub publisher: String,
    /// What it is called, such as `scripts`.
    pub name: String,
    /// Its version, such as `0.1.0`.
    pub version: String,
    /// The world it is built for.
    pub world: String,
    /// One sentence.
    pub description: String,
    /// The tool kinds it decides about.
    pub kinds: Vec<String>,
    /// The JSON Schema of its settings.
    pub settings_schema: Option<Map<String, Value>>,
    /// What it gets along with, where that is less than it could have.
    pub limits: Modesty,
}

/// Why a manifest is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// No TOML, a missing key, an unknown key.
    #[error("its manifest cannot be read: {0}")]
    Toml(String),
    /// A value breaks a rule.
    #[error("its manifest says `{key} = {value}`; {rule}")]
    Value {
        /// The key.
        key: &'static str,
        /// What was typed.
        value: String,
        /// What is expected.
        rule: String,
    },
    /// A capability.
    #[error("its manifest asks for the capability `{0}`; this host grants none yet, so leave `capabilities` empty")]
    Capability(String),
    /// Another world.
    #[error("it is built for the world `{0}`; this host runs plugins for `{TOOL_WORLD}`")]
    World(String),
}

impl Manifest {
    /// Reads the text of `plugin.toml`.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let file: File = toml::from_str(text).map_err(|error| ManifestError::Toml(one_line(&error)))?;
        if let Some(capability) = file.capabilities.into_iter().next() {
            return Err(ManifestError::Capability(capability));
        }
        let Header { publisher, name, version, world, description } = file.plugin;
        check("plugin.publisher", &publisher, is_name(&publisher), NAME_RULE)?;
        check("plugin.name", &name, is_name(&name), NAME_RULE)?;
        check("plugin.version", &version, is_version(&version), "a version has three numbers, such as `1.0.2`")?;
        let fits = description.chars().count() <= LONGEST_DESCRIPTION;
        check("plugin.description", &description, fits, "500 characters are the most")?;
        if world != TOOL_WORLD {
            return Err(ManifestError::World(world));
        }
        let kinds = checked_kinds(file.tool.kinds)?;
        let settings_schema = file.settings.map(|settings| parse_schema(&settings.schema)).transpose()?;
        let limits = file.limits.unwrap_or_default().lowered()?;
        Ok(Self { publisher, name, version, world, description, kinds, settings_schema, limits })
    }
}

/// The file, key by key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    capabilities: Vec<String>,
    plugin: Header,
    tool: ToolPart,
    settings: Option<SettingsPart>,
    limits: Option<LimitsPart>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    publisher: String,
    name: String,
    version: String,
    world: String,
    description: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ToolPart {
    kinds: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingsPart {
    schema: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct LimitsPart {
    deadline_ms: Option<u32>,
    memory_mib: Option<u32>,
    host_calls: Option<u32>,
}

impl LimitsPart {
    fn lowered(self) -> Result<Modesty, ManifestError> {
        let most = Limits::default();
        let deadline = lower("limits.deadline-ms", self.deadline_ms, most.deadline.as_millis())?;
        let memory = lower("limits.memory-mib", self.memory_mib, (most.memory >> 20) as u128)?;
        let host_calls = lower("limits.host-calls", self.host_calls, most.host_calls.into())?;
        Ok(Modesty {
            deadline: deadline.map(|millis| Duration::from_millis(millis.into())),
            memory: memory.map(|mebibytes| usize::try_from(mebibytes).unwrap_or(usize::MAX) << 20),
            host_calls,
        })
    }
}

/// What was asked for, if that is not more than there is and not nothing at all.
fn lower(key: &'static str, asked: Option<u32>, most: u128) -> Result<Option<u32>, ManifestError> {
    if let Some(asked) = asked {
        let possible = (1..=most).contains(&asked.into());
        check(key, &asked.to_string(), possible, &format!("1 to {most} is possible"))?;
    }
    Ok(asked)
}

const NAME_RULE: &str = "a name has 1 to 64 of `a` to `z`, `0` to `9` and `-`, and starts with a letter";

fn check(key: &'static str, value: &str, holds: bool, rule: &str) -> Result<(), ManifestError> {
    if holds {
        return Ok(());
    }
    Err(ManifestError::Value { key, value: value.chars().take(100).collect(), rule: rule.to_owned() })
}

fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.len() <= LONGEST_NAME && text.starts_with(|first: char| first.is_ascii_lowercase()) && text.bytes().all(fits)
}

fn is_version(text: &str) -> bool {
    let numbers: Vec<&str> = text.split('.').collect();
    let is_number = |part: &&str| (1..=9).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    numbers.len() == 3 && numbers.iter().all(is_number)
}

fn checked_kinds(kinds: Vec<String>) -> Result<Vec<String>, ManifestError> {
    let shown = format!("{kinds:?}");
    let count = (1..=MOST_KINDS).contains(&kinds.len());
    check("tool.kinds", &shown, count, "a plugin decides about 1 to 32 kinds of tool")?;
    for (at, kind) in kinds.iter().enumerate() {
        check("tool.kinds", kind, is_name(kind), NAME_RULE)?;
        check("tool.kinds", kind, !kinds[..at].contains(kind), "each kind is named once")?;
    }
    Ok(kinds)
}

fn parse_schema(text: &str) -> Result<Map<String, Value>, ManifestError> {
    serde_json::from_str(text).map_err(|error| ManifestError::Value {
        key: "settings.schema",
        value: text.chars().take(100).collect(),
        rule: format!("a JSON object is expected: {error}"),
    })
}

fn one_line(error: &toml::de::Error) -> String {
    error.message().lines().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"
        capabilities = []
        [plugin]
        publisher = "loadout"
        name = "scripts"
        version = "0.1.0"
        world = "loadout:plugin/tool@0.1.0"
        description = "Which scripts a person is offered."
        [tool]
        kinds = ["scripts"]
        [settings]
        schema = '''{ "type": "object" }'''
        [limits]
        deadline-ms = 20
        memory-mib = 16
        host-calls = 2000
    "#;

    #[test]
    fn a_whole_manifest_is_read() {
        let manifest = Manifest::parse(WHOLE).unwrap();
        assert_eq!((manifest.publisher.as_str(), manifest.name.as_str()), ("loadout", "scripts"));
        assert_eq!(manifest.kinds, ["scripts"]);
        assert_eq!(Value::Object(manifest.settings_schema.unwrap()), serde_json::json!({ "type": "object" }));
        let expected =
            Modesty { deadline: Some(Duration::from_millis(20)), memory: Some(16 << 20), host_calls: Some(2000) };
        assert_eq!(manifest.limits, expected);
    }

    #[test]
    fn what_may_be_left_out_has_defaults() {
        let short = WHOLE.split("[settings]").next().unwrap().replace("capabilities = []", "");
        let manifest = Manifest::parse(&short).unwrap();
        assert_eq!((manifest.settings_schema, manifest.limits), (None, Modesty::default()));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (from, to, expected) in [
            ("[plugin]", "[plugin]\ncolour = 1", "its manifest cannot be read: unknown field `colour`"),
            ("name = \"scripts\"", "", "its manifest cannot be read: missing field `name`"),
            ("[tool]", "[tool", "its manifest cannot be read: "),
            ("= []", "= [\"records\"]", "its manifest asks for the capability `records`; this host grants none yet"),
            (
                "plugin/tool@0.1.0",
                "plugin/step@0.1.0",
                "it is built for the world `loadout:plugin/step@0.1.0`; this host",
            ),
            ("\"loadout\"", "\"../etc\"", "its manifest says `plugin.publisher = ../etc`; a name has"),
            ("\"0.1.0\"", "\"0.1\"", "its manifest says `plugin.version = 0.1`; a version has three numbers"),
            ("[\"scripts\"]", "[]", "its manifest says `tool.kinds = []`; a plugin decides about"),
            ("[\"scripts\"]", "[\"a\", \"a\"]", "its manifest says `tool.kinds = a`; each kind is named once"),
            ("[\"scripts\"]", "[\"Scripts\"]", "its manifest says `tool.kinds = Scripts`; a name has"),
            ("{ \"type\": \"object\" }", "[]", "its manifest says `settings.schema = []`; a JSON object is expected"),
            (
                "deadline-ms = 20",
                "deadline-ms = 51",
                "its manifest says `limits.deadline-ms = 51`; 1 to 50 is possible",
            ),
            ("memory-mib = 16", "memory-mib = 0", "its manifest says `limits.memory-mib = 0`; 1 to 32 is possible"),
            ("host-calls = 2000", "host-calls = -1", "its manifest cannot be read: invalid value"),
            ("host-calls = 2000", "fuel = 1", "its manifest cannot be read: unknown field `fuel`"),
        ] {
            let error = Manifest::parse(&WHOLE.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.starts_with(expected), "`{to}` gave: {error}");
        }
    }
}
