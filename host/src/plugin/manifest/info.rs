//! What there is to say of a plugin that is there.

use serde_json::{Map, Value};

use crate::domain::PluginVersion;

use super::Manifest;
use super::provides::Provides;

/// A plugin that is there.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginInfo {
    /// Who made it.
    pub publisher: String,
    /// What it is called.
    pub name: String,
    /// Its version.
    pub version: PluginVersion,
    /// The world it is built for.
    pub world: String,
    /// One sentence.
    pub description: String,
    /// The SHA-256 of the component, in hexadecimal.
    pub digest: String,
    /// The tool kinds it decides about; none for a step of upgrades.
    pub kinds: Vec<String>,
    /// The JSON Schema of its settings.
    pub settings_schema: Option<Map<String, Value>>,
}

impl PluginInfo {
    /// `publisher/name`.
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.publisher, self.name)
    }

    pub(in crate::plugin) fn new(manifest: Manifest, digest: String) -> Self {
        let Manifest { publisher, name, version, world, description, provides, settings_schema, .. } = manifest;
        let kinds = match provides {
            Provides::ToolRule { kinds, .. } => kinds,
            Provides::UpgradeStep(_) | Provides::ConfigurationSteps { .. } | Provides::ToolSteps { .. } => Vec::new(),
        };
        let settings_schema = settings_schema.map(|declared| declared.document().clone());
        Self { publisher, name, version, world, description, digest, kinds, settings_schema }
    }
}
