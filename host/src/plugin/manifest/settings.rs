//! `[settings]` of a manifest: what administrators may set.
//!
//! Refuses what is no JSON object, a schema that is more than one may be, and mappings of older settings that cannot be
//! carried out. Whether it is a JSON Schema turns out where one is built of it: first by the process that compiles the
//! component, and then, once, where the component is made ready.

use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::domain::PluginVersion;
use crate::plugin::inspect::LoadError;
use crate::plugin::migration::Migration;
use crate::plugin::schema::{BYTES, SchemaError, SettingsSchema, weigh};

use super::{Manifest, ManifestError, migrations, parse_object, refused};

/// The key of the schema.
const KEY: &str = "settings.schema";

/// The schema, and the migrations to it.
pub(super) type Settings = (Map<String, Value>, Vec<Migration>);

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
    /// The schema, if it is not more than one may be, and the migrations of `version`.
    pub(super) fn checked(self, version: PluginVersion) -> Result<Settings, ManifestError> {
        let bytes = self.schema.len();
        if bytes > BYTES {
            let rule = format!("it has {bytes} bytes; at most {BYTES} are allowed");
            return Err(refused(KEY, &self.schema, &rule));
        }
        let schema = parse_object(KEY, &self.schema)?;
        weigh(&schema).map_err(|reason| refused(KEY, &self.schema, &reason))?;
        Ok((schema, migrations::checked(self.migrations, version)?))
    }
}

impl Manifest {
    /// Builds what settings are held against. Refused if that cannot be done.
    pub fn settings(&self) -> Result<Option<SettingsSchema>, LoadError> {
        let Some(schema) = &self.settings_schema else { return Ok(None) };
        SettingsSchema::read(schema).map(Some).map_err(|error| match error {
            SchemaError::Refused(reason) => {
                let rule = format!("a JSON Schema is expected: {reason}");
                refused(KEY, &Value::Object(schema.clone()).to_string(), &rule).into()
            }
            SchemaError::Unavailable(reason) => LoadError::Unavailable(format!("its settings schema: {reason}")),
        })
    }
}
