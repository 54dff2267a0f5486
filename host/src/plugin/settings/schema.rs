//! What a plugin says of its settings, and settings held against it.
//!
//! A schema is code of the plugin's author. `schema/bounds.rs` decides without any library whether it is worked on at
//! all. Then it reaches no network and no file, its patterns take linear time and little room, and what is recursive
//! runs on a stack of known size. A validator is built once for a component, after the process that compiles it built
//! one.

mod bounds;
mod stack;

use jsonschema::{PatternOptions, Validator};
use serde_json::{Map, Value};

use crate::domain::Problem;

use self::bounds::Weight;
pub(in crate::plugin) use self::bounds::{BYTES, weigh};

/// Most problems that are told at once.
const TOLD: usize = 20;

/// Longest message of a problem, in characters: it may quote what was written.
const LONGEST_MESSAGE: usize = 500;

/// Bytes of a compiled pattern, and of what is remembered while it is matched.
const COMPILED: usize = 64 << 10;

/// What one check may come to: values of the schema times values of the settings, and bytes of the settings times the
/// states of its patterns. About a second.
const WORK: u64 = 1 << 26;

/// How much more than a value a pattern costs for each byte.
const PATTERN: u64 = 64;

/// Up to how much work each problem is told by itself. There may be as many of them.
const DETAILED: u64 = 1 << 18;

/// The schema of a plugin's settings.
#[derive(Debug)]
pub struct SettingsSchema {
    validator: Validator,
    weight: Weight,
}

/// Why there is no schema.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// It is none, or more than one may be.
    #[error("{0}")]
    Refused(String),
    /// It could not be looked at now. Not its fault.
    #[error("{0}")]
    Unavailable(String),
}

impl SettingsSchema {
    /// Reads a schema. Refused with the reason if it is none, or if it is more than one may be.
    pub fn read(schema: &Map<String, Value>) -> Result<Self, SchemaError> {
        let weight = weigh(schema).map_err(SchemaError::Refused)?;
        let built = stack::on_its_own(|| {
            let patterns = PatternOptions::regex().size_limit(COMPILED).dfa_size_limit(COMPILED);
            let options = jsonschema::options().with_pattern_options(patterns);
            let built = options.build(&Value::Object(schema.clone()));
            built.map_err(|error| shortened(format!("{error}, at `{}`", error.instance_path())))
        });
        match built {
            Ok(built) => built.map(|validator| Self { validator, weight }).map_err(SchemaError::Refused),
            Err(undone @ stack::Undone::NoThread(_)) => Err(SchemaError::Unavailable(undone.to_string())),
            Err(undone @ stack::Undone::Panicked) => Err(SchemaError::Refused(undone.to_string())),
        }
    }

    /// Whether `settings` are what the schema says; else the first thing that is wrong with them, by its path in them.
    pub fn check(&self, settings: &Value) -> Result<(), Problem> {
        self.problems("", settings).into_iter().next().map_or(Ok(()), Err)
    }

    /// What is wrong with `settings`, attribute by attribute below `attribute`.
    pub fn problems(&self, attribute: &str, settings: &Value) -> Vec<Problem> {
        let problem = |path: &str, message: String| {
            let path = format!("{attribute}{}", path.replace('/', "."));
            Problem { attribute: path.trim_start_matches('.').to_owned(), message: shortened(message), tolerable: true }
        };
        let checked = stack::on_its_own(|| {
            let work = self.work(settings);
            if work > WORK {
                let message =
                    "there is more of it than can be held against the schema of the plugin: give less at once";
                return vec![problem("", message.to_owned())];
            }
            if self.validator.is_valid(settings) {
                return Vec::new();
            }
            if work > DETAILED {
                let message = "it does not suit the schema of the plugin, and there is too much of it to say where";
                return vec![problem("", message.to_owned())];
            }
            let errors = self.validator.iter_errors(settings).take(TOLD);
            errors.map(|error| problem(error.instance_path().as_str(), told(&error))).collect()
        });
        checked.unwrap_or_else(|undone| vec![problem("", format!("it cannot be checked: {undone}"))])
    }

    /// What holding `settings` against the schema comes to at most.
    fn work(&self, settings: &Value) -> u64 {
        let (mut values, mut bytes) = (0, 0);
        measure(settings, &mut values, &mut bytes);
        let patterns = self.weight.patterns.saturating_mul(PATTERN).saturating_mul(bytes);
        self.weight.values.saturating_mul(values).saturating_add(patterns)
    }
}

/// Counts the values of settings, and the bytes of their texts.
fn measure(settings: &Value, values: &mut u64, bytes: &mut u64) {
    *values += 1;
    match settings {
        Value::String(text) => *bytes += text.len() as u64,
        Value::Array(list) => list.iter().for_each(|value| measure(value, values, bytes)),
        Value::Object(object) => object.iter().for_each(|(key, value)| {
            *bytes += key.len() as u64;
            measure(value, values, bytes);
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What is wrong, without the value that was written if there is too much of it.
fn told(error: &jsonschema::ValidationError<'_>) -> String {
    let whole = error.to_string();
    if whole.chars().nth(LONGEST_MESSAGE).is_some() { error.masked_with("it").to_string() } else { whole }
}

fn shortened(message: String) -> String {
    match message.char_indices().nth(LONGEST_MESSAGE) {
        None => message,
        Some((end, _)) => format!("{}…", &message[..end]),
    }
}

#[cfg(test)]
mod tests;
