//! `[settings]` of a manifest: what administrators may set.
//!
//! Refuses what is no JSON Schema, and what schemas of settings may not say.

use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::plugin::schema::SettingsSchema;

use super::{ManifestError, parse_object, refused};

/// What administrators may set.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SettingsPart)]
pub(super) struct Part {
    /// A JSON Schema as text: of the settings of a tool, or of the configuration of a step.
    schema: String,
}

impl Part {
    /// The schema, if it is one.
    pub(super) fn checked(self) -> Result<Map<String, Value>, ManifestError> {
        const KEY: &str = "settings.schema";
        let schema = parse_object(KEY, &self.schema)?;
        match SettingsSchema::read(&schema) {
            Ok(_) => Ok(schema),
            Err(reason) => Err(refused(KEY, &self.schema, &format!("a JSON Schema is expected: {reason}"))),
        }
    }
}
