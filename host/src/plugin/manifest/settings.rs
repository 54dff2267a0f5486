//! `[settings]` of a manifest: what administrators may set.
//!
//! Refuses what is no JSON Schema, what schemas of settings may not say, and mappings of older settings that cannot be carried out.

use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::domain::PluginVersion;
use crate::plugin::migration::Migration;
use crate::plugin::schema::SettingsSchema;

use super::{ManifestError, migrations, parse_object, refused};

/// What administrators may set.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SettingsPart)]
pub(super) struct Part {
    /// A JSON Schema as text: of the settings of a tool, or of the configuration of a step.
    schema: String,
    /// What becomes of settings in the form of earlier versions, when this one is activated.
    #[serde(default)]
    migrations: Vec<migrations::Part>,
}

impl Part {
    /// The schema, if it is one, and the migrations of `version`.
    pub(super) fn checked(self, version: PluginVersion) -> Result<(Map<String, Value>, Vec<Migration>), ManifestError> {
        const KEY: &str = "settings.schema";
        let schema = parse_object(KEY, &self.schema)?;
        match SettingsSchema::read(&schema) {
            Ok(_) => Ok((schema, migrations::checked(self.migrations, version)?)),
            Err(reason) => Err(refused(KEY, &self.schema, &format!("a JSON Schema is expected: {reason}"))),
        }
    }
}
