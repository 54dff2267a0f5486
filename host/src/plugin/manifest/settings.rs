//! `[settings]` of a manifest: what administrators may set.
//!
//! Refuses what is no JSON object, a schema that is more than one may be, and mappings of older settings that cannot be
//! carried out. Whether it is a JSON Schema turns out where one is built of it: first by the process that compiles the
//! component, and then, once, where the component is made ready.

use std::sync::{Arc, OnceLock};

use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::domain::PluginVersion;
use crate::plugin::settings::migration::Migration;
use crate::plugin::settings::schema::{BYTES, SchemaError, SettingsSchema, weigh};

use super::error::{ManifestError, parse_object, refused};
use super::{Manifest, migrations};

/// The key of the schema.
const KEY: &str = "settings.schema";

/// The schema, and the migrations to it.
pub(super) type Settings = (Arc<DeclaredSchema>, Vec<Migration>);

/// The JSON Schema of settings as a manifest declares it, and the validator of it once one was built.
#[derive(Debug)]
pub struct DeclaredSchema {
    document: Map<String, Value>,
    built: OnceLock<SettingsSchema>,
}

impl DeclaredSchema {
    /// The schema as it is written.
    pub fn document(&self) -> &Map<String, Value> {
        &self.document
    }

    /// The validator, if [`Manifest::settings`] built one.
    pub fn built(&self) -> Option<&SettingsSchema> {
        self.built.get()
    }
}

impl PartialEq for DeclaredSchema {
    fn eq(&self, other: &Self) -> bool {
        self.document == other.document
    }
}

/// Why no validator of settings is built.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The schema is none that this host takes.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The validator could not be built now. The component is not at fault.
    #[error("{0}")]
    Unavailable(String),
}

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
        let schema = Arc::new(DeclaredSchema { document: schema, built: OnceLock::new() });
        Ok((schema, migrations::checked(self.migrations, version)?))
    }
}

impl Manifest {
    /// What settings are held against. It is built by the first call, and kept for the manifest and its clones.
    /// Refused if that cannot be done.
    pub fn settings(&self) -> Result<Option<&SettingsSchema>, SettingsError> {
        let Some(declared) = self.settings_schema.as_deref() else { return Ok(None) };
        if let Some(built) = declared.built() {
            return Ok(Some(built));
        }
        let built = SettingsSchema::read(&declared.document).map_err(|error| match error {
            SchemaError::Refused(reason) => {
                let rule = format!("a JSON Schema is expected: {reason}");
                refused(KEY, &Value::Object(declared.document.clone()).to_string(), &rule).into()
            }
            SchemaError::Unavailable(reason) => SettingsError::Unavailable(format!("its settings schema: {reason}")),
        })?;
        Ok(Some(declared.built.get_or_init(|| built)))
    }
}
