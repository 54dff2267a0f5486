//! Why a manifest is refused, with the key, what was typed and what is expected.

use serde_json::{Map, Value};

use crate::domain::free_json;

use super::generation::{STEP_WORLD, TOOL_STEP_WORLD, TOOL_WORLD, UPGRADE_WORLD};

pub(super) const NAME_RULE: &str = "a name has 1 to 64 of `a` to `z`, `0` to `9` and `-`, and starts with a letter";

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

pub(super) fn check(key: &'static str, value: &str, holds: bool, rule: &str) -> Result<(), ManifestError> {
    if holds { Ok(()) } else { Err(refused(key, value, rule)) }
}

pub(super) fn refused(key: &'static str, value: &str, rule: &str) -> ManifestError {
    ManifestError::Value { key, value: shown(value), rule: rule.to_owned() }
}

/// As much of what was typed as a sentence has room for.
pub(super) fn shown(typed: &str) -> String {
    typed.chars().take(100).collect()
}

pub(super) fn parse_object(key: &'static str, text: &str) -> Result<Map<String, Value>, ManifestError> {
    serde_json::from_str(text).map_err(|error| refused(key, text, &format!("a JSON object is expected: {error}")))
}

/// As [`parse_object`], of one that is no larger than what administrators may write.
pub(super) fn parse_free(key: &'static str, text: &str) -> Result<Map<String, Value>, ManifestError> {
    let object = parse_object(key, text)?;
    free_json::check(key, &object).map_err(|problem| refused(key, text, &problem.message))?;
    Ok(object)
}

/// What is wrong with the file, which may quote what is in it.
pub(super) fn one_line(error: &toml::de::Error) -> String {
    const LONGEST: usize = 300;
    error.message().lines().collect::<Vec<_>>().join(" ").chars().take(LONGEST).collect()
}
