//! What a plugin says about itself: the text of `plugin.toml`, which travels inside the component.
//!
//! Unknown keys are refused by name, and so is everything this host could not keep a promise about.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::domain::plugin::is_plugin_name;
use crate::domain::{Capabilities, FaultPolicy, PluginVersion};
use crate::upgrade::{READER, SourceTable, Version};

use super::limits::{Limits, Modesty};
use super::schema::SettingsSchema;
use super::weight::Weight;

mod capabilities;
mod reference;
mod steps;
mod tool_steps;

pub use reference::{ManifestKey, ManifestTable};
pub use steps::StepDeclaration;
pub use tool_steps::ToolStepDeclaration;

/// The world of tool plugins.
pub(super) const TOOL_WORLD: &str = "loadout:plugin/tool@0.1.0";

/// The world of plugins that take part in changes of configuration.
pub(super) const STEP_WORLD: &str = "loadout:plugin/step@0.1.0";

/// The world of plugins with steps around the rules of tools.
pub(super) const TOOL_STEP_WORLD: &str = "loadout:plugin/tool-step@0.1.0";

/// The world of plugins that upgrade old environments.
pub(super) const UPGRADE_WORLD: &str = "loadout:plugin/upgrade@0.1.0";

const LONGEST_DESCRIPTION: usize = 500;
const MOST_KINDS: usize = 32;
const MOST_TABLES: usize = 64;

/// What a plugin says about itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// Who made it, such as `loadout`.
    pub publisher: String,
    /// What it is called, such as `scripts`.
    pub name: String,
    /// Its version, such as `0.1.0`.
    pub version: PluginVersion,
    /// The world it is built for.
    pub world: String,
    /// One sentence.
    pub description: String,
    /// What it does.
    pub provides: Provides,
    /// The JSON Schema of its settings.
    pub settings_schema: Option<Map<String, Value>>,
    /// What it asks to reach outside of the host.
    pub capabilities: Capabilities,
    /// What it gets along with, where that is less than it could have.
    pub limits: Modesty,
}

/// What a plugin does.
#[derive(Debug, Clone, PartialEq)]
pub enum Provides {
    /// It decides about tools of these kinds.
    Tool {
        /// The kinds.
        kinds: Vec<String>,
        /// What happens when it breaks.
        on_fault: FaultPolicy,
        /// What tools are given when it breaks, where that is used.
        default: Option<Map<String, Value>>,
    },
    /// It is a step of upgrades.
    Step(StepPart),
    /// It takes part in changes of configuration.
    Handler {
        /// The steps it wants to be asked as.
        steps: Vec<StepDeclaration>,
    },
    /// It has steps around the rules of tools.
    ToolSteps {
        /// The steps it wants to be asked as.
        steps: Vec<ToolStepDeclaration>,
    },
}

/// What a step of upgrades says about itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StepPart {
    /// The steps that must be through before, as `publisher/name`.
    pub after: Vec<String>,
    /// The tables it reads.
    pub tables: Vec<SourceTable>,
    /// The first version of an old environment it reads; every one if there is none.
    pub from: Option<Version>,
    /// The first version it no longer reads.
    pub before: Option<Version>,
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
    /// Another world.
    #[error(
        "it is built for the world `{0}`; this host runs plugins for `{TOOL_WORLD}`, `{TOOL_STEP_WORLD}`, `{STEP_WORLD}` and `{UPGRADE_WORLD}`: build it for one of them"
    )]
    World(String),
}

impl Manifest {
    /// `publisher/name`.
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.publisher, self.name)
    }

    /// The world it is built for, as its WIT file calls it, such as `tool`.
    pub fn world_name(&self) -> &str {
        let name = self.world.rsplit('/').next().unwrap_or_default();
        name.split('@').next().unwrap_or_default()
    }

    /// Whether it decides about tools of this kind.
    pub fn decides_about(&self, kind: &str) -> bool {
        self.tool_kinds().iter().any(|known| known == kind)
    }

    /// Whether it has a step of this name, in changes or around rules.
    pub fn has_step(&self, name: &str) -> bool {
        self.step_names().contains(&name)
    }

    /// The names of its steps, in changes or around rules.
    pub fn step_names(&self) -> Vec<&str> {
        match &self.provides {
            Provides::Handler { steps } => steps.iter().map(|step| step.name.as_str()).collect(),
            Provides::ToolSteps { steps } => steps.iter().map(|step| step.name.as_str()).collect(),
            Provides::Tool { .. } | Provides::Step(_) => Vec::new(),
        }
    }

    /// The tool kinds it decides about.
    pub fn tool_kinds(&self) -> &[String] {
        match &self.provides {
            Provides::Tool { kinds, .. } => kinds,
            Provides::Step(_) | Provides::Handler { .. } | Provides::ToolSteps { .. } => &[],
        }
    }

    /// Reads the text of `plugin.toml` of a light component.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        Self::parse_for(text, Weight::Light)
    }

    /// Reads the text of `plugin.toml`. How much there is of what it may lower depends on the component it is about.
    pub fn parse_for(text: &str, weight: Weight) -> Result<Self, ManifestError> {
        let file: File = toml::from_str(text).map_err(|error| ManifestError::Toml(one_line(&error)))?;
        let capabilities = capabilities::checked(file.capabilities)?;
        let Header { publisher, name, version, world, description } = file.plugin;
        check("plugin.publisher", &publisher, is_plugin_name(&publisher), NAME_RULE)?;
        check("plugin.name", &name, is_plugin_name(&name), NAME_RULE)?;
        let version = version
            .parse::<PluginVersion>()
            .map_err(|_| refused("plugin.version", &version, "a version has three numbers, such as `1.0.2`"))?;
        let fits = description.chars().count() <= LONGEST_DESCRIPTION;
        check("plugin.description", &description, fits, "500 characters are the most")?;
        let (provides, most) = match world.as_str() {
            TOOL_WORLD => {
                none(&world, "upgrade", file.upgrade.is_some())?;
                none(&world, "steps", file.steps.is_some())?;
                let tool = file.tool.ok_or_else(|| ManifestError::Toml("missing field `tool`".to_owned()))?;
                (tool.checked()?, Limits::default())
            }
            UPGRADE_WORLD => {
                none(&world, "tool", file.tool.is_some())?;
                none(&world, "steps", file.steps.is_some())?;
                none(&world, "settings", file.settings.is_some())?;
                none(&world, "capabilities", !capabilities.is_empty())?;
                let step = file.upgrade.ok_or_else(|| ManifestError::Toml("missing field `upgrade`".to_owned()))?;
                (Provides::Step(step.checked()?), Limits::of_steps())
            }
            STEP_WORLD => {
                none(&world, "tool", file.tool.is_some())?;
                none(&world, "upgrade", file.upgrade.is_some())?;
                let steps = file.steps.ok_or_else(|| ManifestError::Toml("missing field `steps`".to_owned()))?;
                (Provides::Handler { steps: steps::checked(steps)? }, Limits::of_handlers())
            }
            TOOL_STEP_WORLD => {
                none(&world, "tool", file.tool.is_some())?;
                none(&world, "upgrade", file.upgrade.is_some())?;
                let steps = file.steps.ok_or_else(|| ManifestError::Toml("missing field `steps`".to_owned()))?;
                (Provides::ToolSteps { steps: tool_steps::checked(steps)? }, Limits::default())
            }
            _ => return Err(ManifestError::World(world)),
        };
        let settings_schema = file.settings.map(|settings| parse_schema(&settings.schema)).transpose()?;
        let limits = file.limits.unwrap_or_default().lowered(weight.limits(most))?;
        Ok(Self { publisher, name, version, world, description, provides, settings_schema, capabilities, limits })
    }
}

/// What a plugin says about itself.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct File {
    /// Who the plugin is, and what it is built for.
    plugin: Header,
    /// In the world `tool` alone: the tools it decides about.
    tool: Option<ToolPart>,
    /// In the world `upgrade` alone: the rows it is given.
    upgrade: Option<UpgradePart>,
    /// In the worlds `step` and `tool-step`: what it is asked about. What a step may say depends on the world.
    #[schema(value_type = Option<Vec<Object>>)]
    steps: Option<Vec<toml::Value>>,
    /// What administrators may set. Not in the world `upgrade`.
    settings: Option<SettingsPart>,
    /// What it gets along with.
    limits: Option<LimitsPart>,
    /// What it would like to reach outside. Not in the world `upgrade`.
    #[schema(value_type = Option<capabilities::Part>)]
    capabilities: Option<toml::Value>,
}

/// Who a plugin is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Header {
    /// Who publishes it: 1 to 64 of a-z, 0-9 and `-`, a letter first.
    publisher: String,
    /// What it is called, in the same characters. With the publisher its identity.
    name: String,
    /// Three numbers, such as `1.0.2`. Each version is installed once.
    version: String,
    /// What it may import and has to export, such as `loadout:plugin/tool@0.1.0`.
    world: String,
    /// One sentence for administrators.
    description: String,
}

/// What a rule decides about.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ToolPart {
    /// The tool kinds, 1 to 32.
    kinds: Vec<String>,
    /// What people get when it breaks, unless their environment says otherwise; `skip` without it.
    #[serde(default = "skip", rename = "on-fault")]
    on_fault: FaultPolicy,
    /// The payload a tool is given in place of a broken rule's, a JSON object as text. Needed for `use-default`.
    default: Option<String>,
}

/// A tool whose rule breaks is left out, visibly: the rest of an experience is worth having.
fn skip() -> FaultPolicy {
    FaultPolicy::Skip
}

/// What a step of upgrades is given.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UpgradePart {
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
struct TablePart {
    /// What it is called there.
    name: String,
    /// Tables whose rows come along where they name a row, are named by it, or are linked to it.
    #[serde(default)]
    with: Vec<String>,
    /// Whether all rows come on one page.
    #[serde(default)]
    together: bool,
}

/// What administrators may set.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SettingsPart {
    /// A JSON Schema as text: of the settings of a tool, or of the configuration of a step.
    schema: String,
}

/// What a plugin gets along with. Each may be left out, and none may be more than its world has.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct LimitsPart {
    /// Processor time of one call, in milliseconds.
    deadline_ms: Option<u32>,
    /// All memories and tables of a call together, in MiB.
    memory_mib: Option<u32>,
    /// Calls to imports.
    host_calls: Option<u32>,
}

impl ToolPart {
    fn checked(self) -> Result<Provides, ManifestError> {
        let Self { kinds, on_fault, default } = self;
        let default = default.map(|text| parse_object("tool.default", &text)).transpose()?;
        let has_default = on_fault != FaultPolicy::UseDefault || default.is_some();
        check("tool.on-fault", on_fault.as_str(), has_default, "give the default as `tool.default`, a JSON object")?;
        Ok(Provides::Tool { kinds: checked_kinds(kinds)?, on_fault, default })
    }
}

impl UpgradePart {
    fn checked(self) -> Result<StepPart, ManifestError> {
        let offered = format!("this host reads old environments as reader 1 to {READER} does");
        check("upgrade.reader", &self.reader.to_string(), (1..=READER).contains(&self.reader), &offered)?;
        for step in &self.after {
            let is_step =
                step.split_once('/').is_some_and(|(publisher, name)| is_plugin_name(publisher) && is_plugin_name(name));
            check("upgrade.after", step, is_step, "a step is named as `publisher/name`")?;
        }
        let count = (1..=MOST_TABLES).contains(&self.tables.len());
        check("upgrade.tables", &self.tables.len().to_string(), count, "a step reads 1 to 64 tables")?;
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
        Ok(StepPart { after: self.after, tables, from, before })
    }
}

/// Refuses a part of the manifest that means nothing in its world.
fn none(world: &str, part: &str, there: bool) -> Result<(), ManifestError> {
    let message = || format!("`[{part}]` means nothing in the world `{world}`: remove it");
    if there { Err(ManifestError::Toml(message())) } else { Ok(()) }
}

fn is_table(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=128).contains(&text.len()) && text.bytes().all(fits)
}

impl LimitsPart {
    fn lowered(self, most: Limits) -> Result<Modesty, ManifestError> {
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
    if holds { Ok(()) } else { Err(refused(key, value, rule)) }
}

fn refused(key: &'static str, value: &str, rule: &str) -> ManifestError {
    ManifestError::Value { key, value: value.chars().take(100).collect(), rule: rule.to_owned() }
}

fn checked_kinds(kinds: Vec<String>) -> Result<Vec<String>, ManifestError> {
    let shown = format!("{kinds:?}");
    let count = (1..=MOST_KINDS).contains(&kinds.len());
    check("tool.kinds", &shown, count, "a plugin decides about 1 to 32 kinds of tool")?;
    for (at, kind) in kinds.iter().enumerate() {
        check("tool.kinds", kind, is_plugin_name(kind), NAME_RULE)?;
        check("tool.kinds", kind, !kinds[..at].contains(kind), "each kind is named once")?;
    }
    Ok(kinds)
}

fn parse_object(key: &'static str, text: &str) -> Result<Map<String, Value>, ManifestError> {
    serde_json::from_str(text).map_err(|error| ManifestError::Value {
        key,
        value: text.chars().take(100).collect(),
        rule: format!("a JSON object is expected: {error}"),
    })
}

fn parse_schema(text: &str) -> Result<Map<String, Value>, ManifestError> {
    const KEY: &str = "settings.schema";
    let schema = parse_object(KEY, text)?;
    match SettingsSchema::read(&schema) {
        Ok(_) => Ok(schema),
        Err(reason) => {
            let rule = format!("a JSON Schema is expected: {reason}");
            Err(ManifestError::Value { key: KEY, value: text.chars().take(100).collect(), rule })
        }
    }
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
        let (kinds, on_fault) = (vec!["scripts".to_owned()], FaultPolicy::Skip);
        assert_eq!(manifest.provides, Provides::Tool { kinds, on_fault, default: None });
        assert_eq!(Value::Object(manifest.settings_schema.unwrap()), serde_json::json!({ "type": "object" }));
        let expected =
            Modesty { deadline: Some(Duration::from_millis(20)), memory: Some(16 << 20), host_calls: Some(2000) };
        assert_eq!(manifest.limits, expected);
    }

    #[test]
    fn what_the_contract_shows_is_read() {
        let shown = include_str!("../../../wit/README.md").split("```toml\n").skip(1);
        let shown: Vec<&str> = shown.map(|block| block.split("```").next().unwrap()).collect();
        let (manifests, parts): (Vec<&str>, Vec<&str>) =
            shown.into_iter().partition(|block| block.contains("[plugin]"));
        let read: Vec<Manifest> = manifests.iter().map(|text| Manifest::parse(text).unwrap()).collect();
        let worlds: Vec<&str> = read.iter().map(|manifest| manifest.world.as_str()).collect();
        assert_eq!(worlds, [UPGRADE_WORLD, TOOL_WORLD, STEP_WORLD, TOOL_STEP_WORLD]);
        let whole = &read[1];
        assert!(whole.settings_schema.is_some() && !whole.capabilities.is_empty());
        let Modesty { deadline, memory, host_calls } = whole.limits;
        assert!(deadline.is_some() && memory.is_some() && host_calls.is_some());
        assert!(matches!(&whole.provides, Provides::Tool { default: Some(_), .. }));
        assert!(!parts.is_empty());
        for part in parts {
            Manifest::parse(&WHOLE.replace("capabilities = []", "").replace("[plugin]", &format!("{part}[plugin]")))
                .unwrap();
        }
    }

    #[test]
    fn what_may_be_left_out_has_defaults() {
        let short = WHOLE.split("[settings]").next().unwrap().replace("capabilities = []", "");
        let manifest = Manifest::parse(&short).unwrap();
        assert_eq!((manifest.settings_schema, manifest.limits), (None, Modesty::default()));
    }

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
        let Provides::Step(step) = Manifest::parse(STEP).unwrap().provides else { panic!("it is a step") };
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

    #[test]
    fn what_is_wrong_is_named() {
        for (from, to, expected) in [
            ("[plugin]", "[plugin]\ncolour = 1", "its manifest cannot be read: unknown field `colour`"),
            ("name = \"scripts\"", "", "its manifest cannot be read: missing field `name`"),
            ("[tool]", "[tool", "its manifest cannot be read: "),
            ("= []", "= [\"records\"]", "its manifest says `capabilities = records`; name what it needs"),
            (
                "plugin/tool@0.1.0",
                "plugin/tool@0.2.0",
                "it is built for the world `loadout:plugin/tool@0.2.0`; this host",
            ),
            (
                "plugin/tool@0.1.0",
                "plugin/step@0.1.0",
                "its manifest cannot be read: `[tool]` means nothing in the world",
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
            (
                "[tool]",
                "[tool]\non-fault = \"use-default\"",
                "its manifest says `tool.on-fault = use-default`; give the default",
            ),
            ("[tool]", "[tool]\ndefault = \"[]\"", "its manifest says `tool.default = []`; a JSON object is expected"),
            ("memory-mib = 16", "memory-mib = 0", "its manifest says `limits.memory-mib = 0`; 1 to 32 is possible"),
            ("host-calls = 2000", "host-calls = -1", "its manifest cannot be read: invalid value"),
            ("host-calls = 2000", "fuel = 1", "its manifest cannot be read: unknown field `fuel`"),
        ] {
            let error = Manifest::parse(&WHOLE.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.starts_with(expected), "`{to}` gave: {error}");
        }
    }
}
