//! Texts in several languages, as library items have them.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A text with one wording per language: a plain string, or `{"default": "…", "labels": {"1036": "…"}}`.
///
/// ```
/// let title: loadout_sdk::Localized = serde_json::from_str(r#"{"default": "Cases", "labels": {"1036": "Cas"}}"#)?;
/// assert_eq!((title.in_language(1036), title.in_language(1033)), ("Cas", "Cases"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "Wire")]
pub struct Localized {
    default: String,
    labels: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Wire {
    Plain(String),
    // Languages are keys of an object, and so texts, however they are counted.
    Labelled { default: String, labels: BTreeMap<String, String> },
}

impl From<Wire> for Localized {
    fn from(wire: Wire) -> Self {
        match wire {
            Wire::Plain(default) => Self { default, labels: BTreeMap::new() },
            Wire::Labelled { default, labels } => Self { default, labels },
        }
    }
}

impl Localized {
    /// Returns the wording for `language`, else the default one.
    ///
    /// ```
    /// let title: loadout_sdk::Localized = serde_json::from_str(r#""Cases""#).unwrap();
    /// assert_eq!(title.in_language(1036), "Cases");
    /// ```
    pub fn in_language(&self, language: u32) -> &str {
        self.labels.get(&language.to_string()).unwrap_or(&self.default)
    }
}
