//! What a plugin says of its settings, and settings held against it.
//!
//! A schema is code of somebody else: it reaches no network and no file, and its patterns take linear time.

use jsonschema::{PatternOptions, Validator};
use serde_json::{Map, Value};

use crate::domain::Problem;

/// Most problems that are told at once.
const TOLD: usize = 20;

/// The schema of a plugin's settings.
#[derive(Debug)]
pub struct SettingsSchema(Validator);

impl SettingsSchema {
    /// Reads a schema. Refused with the reason if it is none.
    pub fn read(schema: &Map<String, Value>) -> Result<Self, String> {
        let options = jsonschema::options().with_pattern_options(PatternOptions::regex());
        let read = options.build(&Value::Object(schema.clone()));
        read.map(Self).map_err(|error| format!("{error}, at `{}`", error.instance_path()))
    }

    /// What is wrong with `settings`, attribute by attribute below `attribute`.
    pub fn problems(&self, attribute: &str, settings: &Value) -> Vec<Problem> {
        let problem = |error: jsonschema::ValidationError<'_>| {
            let path = error.instance_path().to_string().replace('/', ".");
            Problem { attribute: format!("{attribute}{path}"), message: error.to_string(), tolerable: true }
        };
        self.0.iter_errors(settings).take(TOLD).map(problem).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(schema: Value) -> Result<SettingsSchema, String> {
        let Value::Object(schema) = schema else { unreachable!() };
        SettingsSchema::read(&schema)
    }

    #[test]
    fn what_is_wrong_is_named_by_attribute() {
        let schema = read(json!({
            "type": "object",
            "properties": {
                "macros": { "type": "array", "items": { "type": "string" } },
                "code": { "type": "string", "pattern": "^(a+)+$" }
            },
            "additionalProperties": false
        }));
        let schema = schema.unwrap();
        let told = |settings: Value| -> Vec<String> {
            schema.problems("settings", &settings).iter().map(ToString::to_string).collect()
        };
        assert_eq!(told(json!({ "macros": ["a"] })), [""; 0]);
        assert_eq!(told(json!({ "macros": ["a", 1] })), [r#"`settings.macros.1`: 1 is not of type "string""#]);
        assert_eq!(
            told(json!({ "macro": [] })),
            ["`settings`: Additional properties are not allowed ('macro' was unexpected)"]
        );
        let long = format!("{}!", "a".repeat(50_000));
        assert_eq!(told(json!({ "code": long })).len(), 1, "and at once");
    }

    #[test]
    fn a_schema_is_a_schema_and_reaches_nothing() {
        for schema in [
            json!({ "type": "text" }),
            json!({ "properties": { "a": { "minimum": "one" } } }),
            json!({ "pattern": "(?<=a)b" }),
            json!({ "$ref": "https://example.org/schema.json" }),
            json!({ "$ref": "file:///etc/passwd" }),
        ] {
            assert!(read(schema.clone()).is_err(), "{schema}");
        }
    }
}
