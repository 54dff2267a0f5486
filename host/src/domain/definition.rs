//! Workflow definitions, kept letter by letter.
//!
//! Macros and default-script expressions arrive as JSON text whose spelling (escapes, order, blanks) must survive a
//! round trip, so the text is what is stored. The crate `loadout-workflow` defines what a definition means.

use std::fmt;

use loadout_workflow::Workflow;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, Type};

use super::text::TooLong;

/// Longest definition, in characters.
pub const DEFINITION_MAX: usize = 1_048_576;

/// Deepest nesting of a definition. Items hold definitions a few levels down and are read again within the reader's
/// 128.
pub const DEPTH_MAX: usize = 64;

/// A workflow definition.
///
/// On the wire it is the JSON object itself, or, when writing the object anew would change a byte, its text as a
/// string. Invariant: the text is JSON of at most [`DEFINITION_MAX`] characters.
#[derive(Clone, PartialEq, Eq)]
pub struct Definition(Box<str>);

/// Why a text is refused as a workflow definition.
#[derive(Debug, thiserror::Error)]
pub enum InvalidDefinition {
    /// It does not fit its column.
    #[error(transparent)]
    TooLong(#[from] TooLong),
    /// It is not JSON.
    #[error("the definition is not JSON: {0}")]
    NotJson(#[from] serde_json::Error),
    /// It is nested too deeply.
    #[error("the definition is nested deeper than {DEPTH_MAX} levels: flatten it")]
    TooDeep,
}

impl Definition {
    /// Takes the text of a definition as it is.
    pub fn new(text: impl Into<Box<str>>) -> Result<Self, InvalidDefinition> {
        let text = text.into();
        let length = text.chars().count();
        if length > DEFINITION_MAX {
            return Err(TooLong { length, max: DEFINITION_MAX }.into());
        }
        if depth(&serde_json::from_str(&text)?) > DEPTH_MAX {
            return Err(InvalidDefinition::TooDeep);
        }
        Ok(Self(text))
    }

    /// The text, as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Parses the definition.
    pub fn workflow(&self) -> Result<Workflow, loadout_workflow::Error> {
        Workflow::parse(&self.0)
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
        Value::Object(object) => 1 + object.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

impl fmt::Debug for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Definition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value: Value = serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
        let respelt = value.to_string();
        if value.is_object() && respelt == *self.0 { value.serialize(serializer) } else { self.0.serialize(serializer) }
    }
}

impl<'de> Deserialize<'de> for Definition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match Value::deserialize(deserializer)? {
            Value::String(text) => text,
            object @ Value::Object(_) => object.to_string(),
            other => {
                return Err(serde::de::Error::custom(format!("expected a workflow definition, found `{other}`")));
            }
        };
        Self::new(text).map_err(serde::de::Error::custom)
    }
}

impl utoipa::PartialSchema for Definition {
    fn schema() -> RefOr<Schema> {
        let object = ObjectBuilder::new().description(Some("A workflow definition."));
        let text = ObjectBuilder::new().schema_type(Type::String).description(Some("The text of one, byte for byte."));
        RefOr::T(Schema::OneOf(OneOfBuilder::new().item(object).item(text).build()))
    }
}

impl utoipa::ToSchema for Definition {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_that_could_not_be_written_again_is_refused() {
        assert!(Definition::new("{".to_owned()).is_err());
        for levels in [65, 127, 200] {
            assert!(Definition::new("[".repeat(levels) + &"]".repeat(levels)).is_err(), "{levels} levels");
        }
        assert!(Definition::new("[".repeat(64) + &"]".repeat(64)).is_ok());
    }

    #[test]
    fn every_spelling_survives_a_round_trip() {
        for text in [r#"{"b":1,"a":"x\n"}"#, r#"{ "a": 1 }"#, r#"{"url":"https:\/\/example.com"}"#, r#"{"a":1.50}"#] {
            let definition = Definition::new(text).unwrap();
            let wire = serde_json::to_string(&definition).unwrap();
            assert_eq!(serde_json::from_str::<Definition>(&wire).unwrap().as_str(), text);
        }
    }
}
