//! Texts with the limits of the columns they come from, and texts in several languages.
//!
//! Refuses text longer than its column; never cuts it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, OneOfBuilder, Schema, Type};

/// The published pattern of texts of items: no control character but tab and line ends. [`bounds`](super::bounds)
/// enforces it.
pub const PLAIN: &str = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$";

/// The number of a language as a key: 1 to 65535.
const LANGUAGE: &str = "^([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$";

/// Makes the published schema of a text of a known form.
pub(crate) fn plain(description: &str, pattern: &str, least: usize, most: usize) -> RefOr<Schema> {
    let text = ObjectBuilder::new().schema_type(Type::String).description(Some(description)).pattern(Some(pattern));
    RefOr::T(Schema::Object(text.min_length(Some(least)).max_length(Some(most)).build()))
}

/// A language code as Windows numbers them, such as 1033 for English (United States).
pub type Language = u32;

/// Text of at most `MAX` characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<const MAX: usize>(Box<str>);

/// Text with one wording per language, each of at most `MAX` characters.
///
/// On the wire it is a plain string, or `{"default": "…", "labels": {"1036": "…"}}` when there are translations.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Localized<const MAX: usize> {
    default: Text<MAX>,
    labels: BTreeMap<Language, Text<MAX>>,
}

/// The refusal of a text that does not fit its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the text has {length} characters, {max} are allowed: shorten it")]
pub struct TooLong {
    /// The number of characters of the text.
    pub length: usize,
    /// The number of characters allowed.
    pub max: usize,
}

impl<const MAX: usize> Text<MAX> {
    /// Takes `text` unless it is longer than `MAX` characters.
    pub fn new(text: impl Into<Box<str>>) -> Result<Self, TooLong> {
        let text = text.into();
        let length = text.chars().count();
        if length > MAX { Err(TooLong { length, max: MAX }) } else { Ok(Self(text)) }
    }

    /// Returns the text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> Localized<MAX> {
    /// Makes a text without translations.
    pub fn new(default: impl Into<Box<str>>) -> Result<Self, TooLong> {
        Ok(Self { default: Text::new(default)?, labels: BTreeMap::new() })
    }

    /// Makes a text with translations by language. Drops a single translation that equals the default.
    pub fn with_labels(default: Text<MAX>, mut labels: BTreeMap<Language, Text<MAX>>) -> Self {
        if labels.len() == 1 && labels.values().next() == Some(&default) {
            labels.clear();
        }
        Self { default, labels }
    }

    /// Returns the wording for languages without a translation.
    pub fn default_text(&self) -> &str {
        self.default.as_str()
    }

    /// Returns the wording for `language`, else the default one.
    pub fn in_language(&self, language: Language) -> &str {
        self.labels.get(&language).unwrap_or(&self.default).as_str()
    }

    /// Returns the translations by language.
    pub fn labels(&self) -> impl Iterator<Item = (Language, &str)> {
        self.labels.iter().map(|(language, text)| (*language, text.as_str()))
    }

    /// Returns every wording: the default, then the translations by language.
    pub fn wordings(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.default).chain(self.labels.values()).map(Text::as_str)
    }
}

impl<const MAX: usize> fmt::Debug for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const MAX: usize> fmt::Debug for Localized<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.labels.is_empty() {
            self.default.fmt(f)
        } else {
            f.debug_map().entry(&"default", &self.default).entries(&self.labels).finish()
        }
    }
}

impl<const MAX: usize> Serialize for Text<MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for Text<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let typed = Cow::<str>::deserialize(deserializer)?;
        Self::new(typed.into_owned()).map_err(serde::de::Error::custom)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Labelled<const MAX: usize> {
    default: Text<MAX>,
    labels: BTreeMap<Language, Text<MAX>>,
}

impl<const MAX: usize> Serialize for Localized<MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.labels.is_empty() {
            return self.default.serialize(serializer);
        }
        Labelled { default: self.default.clone(), labels: self.labels.clone() }.serialize(serializer)
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for Localized<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => Self::new(text).map_err(D::Error::custom),
            object @ serde_json::Value::Object(_) => {
                let Labelled { default, labels } = serde_json::from_value(object).map_err(D::Error::custom)?;
                Ok(Self::with_labels(default, labels))
            }
            other => {
                Err(D::Error::custom(format!("expected a text or `{{\"default\", \"labels\"}}`, found `{other}`")))
            }
        }
    }
}

impl<const MAX: usize> utoipa::PartialSchema for Text<MAX> {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new().schema_type(Type::String).max_length(Some(MAX)).pattern(Some(PLAIN));
        RefOr::T(Schema::Object(text.build()))
    }
}

impl<const MAX: usize> utoipa::ToSchema for Text<MAX> {
    fn name() -> Cow<'static, str> {
        format!("Text{MAX}").into()
    }
}

impl<const MAX: usize> utoipa::PartialSchema for Localized<MAX> {
    fn schema() -> RefOr<Schema> {
        let text = <Text<MAX> as utoipa::PartialSchema>::schema;
        let language = ObjectBuilder::new().schema_type(Type::String).pattern(Some(LANGUAGE));
        let labels = ObjectBuilder::new()
            .description(Some("Wording by language code, such as 1036 for French."))
            .property_names(Some(language))
            .max_properties(Some(super::bounds::LABELS_MAX))
            .additional_properties(Some(AdditionalProperties::RefOr(text())));
        let labelled = ObjectBuilder::new()
            .property("default", text())
            .required("default")
            .property("labels", labels)
            .required("labels")
            .additional_properties(Some(AdditionalProperties::FreeForm(false)));
        RefOr::T(Schema::OneOf(OneOfBuilder::new().item(text()).item(labelled).build()))
    }
}

impl<const MAX: usize> utoipa::ToSchema for Localized<MAX> {
    fn name() -> Cow<'static, str> {
        format!("Localized{MAX}").into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_at_the_limit_fits_and_one_more_does_not() {
        assert!(Text::<3>::new("äöü").is_ok(), "characters count, not bytes");
        assert_eq!(Text::<3>::new("abcd").unwrap_err(), TooLong { length: 4, max: 3 });
    }

    #[test]
    fn a_translation_is_chosen_by_language() {
        let title: Localized<20> = serde_json::from_str(r#"{"default":"Case","labels":{"1031":"Fall"}}"#).unwrap();
        assert_eq!((title.in_language(1031), title.in_language(1036)), ("Fall", "Case"));
    }

    #[test]
    fn wire_forms_round_trip() {
        for json in [r#""Case""#, r#"{"default":"Case","labels":{"1031":"Fall"}}"#] {
            let text: Localized<20> = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&text).unwrap(), json);
        }
        let wrong = serde_json::from_str::<Localized<20>>("7").unwrap_err().to_string();
        assert!(wrong.contains("found `7`"), "{wrong}");
    }
}
