//! What a plugin says about itself: the text of `plugin.toml`, which travels inside the component.
//!
//! Unknown keys are refused by name, and so is everything this host could not keep a promise about.

pub(in crate::plugin) mod duties;
pub(in crate::plugin) mod generation;
pub(in crate::plugin) mod info;
pub(in crate::plugin) mod world;

use std::sync::Arc;

use serde::Deserialize as _;
use toml::de::{DeTable, Deserializer};

use crate::domain::plugin::is_plugin_name;
use crate::domain::{Capabilities, PluginVersion};

use self::generation::is_one;
use super::limits::call_limits::{Limits, LoweredLimits};
use super::limits::weight::Weight;
use super::settings::migration::Migration;

use self::error::{NAME_RULE, check, one_line, refused, shown};
use self::file::{File, Header};
use self::generation::{STEP_WORLD, TOOL_STEP_WORLD, TOOL_WORLD, UPGRADE_WORLD};
use self::settings::Settings;

mod bounds;
mod capabilities;
pub(super) mod error;
mod file;
mod kinds;
mod limits;
mod migrations;
pub(super) mod provides;
mod reference;
mod settings;
mod steps;
mod tool;
mod tool_steps;
mod upgrade;

pub use error::ManifestError;
pub use provides::Provides;
pub use reference::{ManifestKey, ManifestTable};
pub use settings::{DeclaredSchema, SettingsError};
pub use steps::StepDeclaration;
pub use tool_steps::ToolStepDeclaration;
pub use upgrade::UpgradeSection;

const LONGEST_DESCRIPTION: usize = 500;

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
    pub settings_schema: Option<Arc<DeclaredSchema>>,
    /// What becomes of settings in the form of earlier versions, the earliest first.
    pub migrations: Vec<Migration>,
    /// What it asks to reach outside of the host.
    pub capabilities: Capabilities,
    /// What it gets along with, where that is less than it could have.
    pub limits: LoweredLimits,
}

/// Who a component says it is, which is all that is read of a manifest before it is known whether the environment wants
/// it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Who made it.
    pub publisher: String,
    /// What it is called.
    pub name: String,
    /// Its version.
    pub version: PluginVersion,
}

impl Identity {
    /// `publisher/name`.
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.publisher, self.name)
    }

    fn checked(publisher: String, name: String, version: &str) -> Result<Self, ManifestError> {
        check("plugin.publisher", &publisher, is_plugin_name(&publisher), NAME_RULE)?;
        check("plugin.name", &name, is_plugin_name(&name), NAME_RULE)?;
        let version = version
            .parse::<PluginVersion>()
            .map_err(|_| refused("plugin.version", version, "a version has three numbers, such as `1.0.2`"))?;
        Ok(Self { publisher, name, version })
    }
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
            Provides::ConfigurationSteps { steps } => steps.iter().map(|step| step.name.as_str()).collect(),
            Provides::ToolSteps { steps } => steps.iter().map(|step| step.name.as_str()).collect(),
            Provides::ToolRule { .. } | Provides::UpgradeStep(_) => Vec::new(),
        }
    }

    /// The tool kinds it decides about.
    pub fn tool_kinds(&self) -> &[String] {
        match &self.provides {
            Provides::ToolRule { kinds, .. } => kinds,
            Provides::UpgradeStep(_) | Provides::ConfigurationSteps { .. } | Provides::ToolSteps { .. } => &[],
        }
    }

    /// Reads who the text of `plugin.toml` is of, and nothing else of it.
    pub fn identity(text: &str) -> Result<Identity, ManifestError> {
        let table = bounds::table(text)?;
        let missing = |key: &str| ManifestError::Toml(format!("missing field `{key}`"));
        let plugin = table.get_ref().get("plugin").and_then(|plugin| plugin.get_ref().as_table());
        let plugin: &DeTable<'_> = plugin.ok_or_else(|| missing("plugin"))?;
        let text = |key: &str| {
            let value = plugin.get(key).and_then(|value| value.get_ref().as_str());
            value.map(str::to_owned).ok_or_else(|| missing(key))
        };
        Identity::checked(text("publisher")?, text("name")?, &text("version")?)
    }

    /// Reads the text of `plugin.toml` of a light component.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        Self::parse_for(text, Weight::Light)
    }

    /// Reads the text of `plugin.toml`. How much there is of what it may lower depends on the component it is about.
    pub fn parse_for(text: &str, weight: Weight) -> Result<Self, ManifestError> {
        Self::read(text, weight, |settings, version| settings.map(|part| part.checked(version)).transpose())
    }

    /// What the text of `plugin.toml` says even if its settings schema is none that this host takes, which is left out
    /// then. Nothing if it says nothing that can be read.
    pub(super) fn said(text: &str, weight: Weight) -> Option<Self> {
        Self::read(text, weight, |settings, version| Ok(settings.and_then(|part| part.checked(version).ok()))).ok()
    }

    fn read(
        text: &str,
        weight: Weight,
        settings: impl FnOnce(Option<settings::Part>, PluginVersion) -> Result<Option<Settings>, ManifestError>,
    ) -> Result<Self, ManifestError> {
        let table = bounds::table(text)?;
        let file = File::deserialize(Deserializer::from(table));
        let file = file.map_err(|error| ManifestError::Toml(one_line(&error)))?;
        let capabilities = capabilities::checked(file.capabilities)?;
        let Header { publisher, name, version, world, description } = file.plugin;
        let Identity { publisher, name, version } = Identity::checked(publisher, name, &version)?;
        let fits = description.chars().count() <= LONGEST_DESCRIPTION;
        check("plugin.description", &description, fits, "500 characters are the most")?;
        let worlds = [TOOL_WORLD, UPGRADE_WORLD, STEP_WORLD, TOOL_STEP_WORLD];
        let (provides, most) = match worlds.into_iter().find(|known| is_one(&world, known)).unwrap_or_default() {
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
                (Provides::UpgradeStep(step.checked()?), Limits::of_upgrade_steps())
            }
            STEP_WORLD => {
                none(&world, "tool", file.tool.is_some())?;
                none(&world, "upgrade", file.upgrade.is_some())?;
                let steps = file.steps.ok_or_else(|| ManifestError::Toml("missing field `steps`".to_owned()))?;
                (Provides::ConfigurationSteps { steps: steps::checked(steps)? }, Limits::of_configuration_steps())
            }
            TOOL_STEP_WORLD => {
                none(&world, "tool", file.tool.is_some())?;
                none(&world, "upgrade", file.upgrade.is_some())?;
                let steps = file.steps.ok_or_else(|| ManifestError::Toml("missing field `steps`".to_owned()))?;
                (Provides::ToolSteps { steps: tool_steps::checked(steps)? }, Limits::default())
            }
            _ => return Err(ManifestError::World(shown(&world))),
        };
        let (settings_schema, migrations) = settings(file.settings, version)?.unzip();
        let migrations = migrations.unwrap_or_default();
        let limits = file.limits.unwrap_or_default().lowered(most.for_weight(weight))?;
        Ok(Self {
            publisher,
            name,
            version,
            world,
            description,
            provides,
            settings_schema,
            migrations,
            capabilities,
            limits,
        })
    }
}

/// Refuses a part of the manifest that means nothing in its world.
fn none(world: &str, part: &str, there: bool) -> Result<(), ManifestError> {
    let message = || format!("`[{part}]` means nothing in the world `{world}`: remove it");
    if there { Err(ManifestError::Toml(message())) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::Value;

    use super::*;
    use crate::domain::FaultPolicy;

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
        assert_eq!(manifest.provides, Provides::ToolRule { kinds, on_fault, default: None });
        assert_eq!(
            Value::Object(manifest.settings_schema.unwrap().document().clone()),
            serde_json::json!({ "type": "object" })
        );
        let expected =
            LoweredLimits { deadline: Some(Duration::from_millis(20)), memory: Some(16 << 20), host_calls: Some(2000) };
        assert_eq!(manifest.limits, expected);
    }

    #[test]
    fn what_settings_are_held_against_is_built_once_for_a_manifest_and_its_clones() {
        let manifest = Manifest::parse(WHOLE).unwrap();
        let clone = manifest.clone();
        let built = manifest.settings().unwrap().unwrap();
        assert!(std::ptr::eq(built, clone.settings().unwrap().unwrap()));
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
        let LoweredLimits { deadline, memory, host_calls } = whole.limits;
        assert!(deadline.is_some() && memory.is_some() && host_calls.is_some());
        assert!(matches!(&whole.provides, Provides::ToolRule { default: Some(_), .. }));
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
        assert_eq!((manifest.settings_schema, manifest.limits), (None, LoweredLimits::default()));
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
