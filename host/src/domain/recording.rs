//! Recording: which calls of a plugin are kept whole, for how long, and which values are redacted before.
//!
//! Recording is off unless an administrator sets when it ends. The session's context, with customers' names and texts,
//! and the answers of granted calls are redacted unless the administrator sets otherwise.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Problems;

/// Which calls of a plugin are recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecordingSettings {
    /// When recording ends by itself.
    #[schema(value_type = String, format = DateTime)]
    pub until: jiff::Timestamp,
    /// Most calls that are recorded in a minute, by each process; 60 without it.
    #[serde(default = "default_per_minute")]
    #[schema(minimum = 1, maximum = 6_000)]
    pub per_minute: u32,
    /// Days a recording is kept; 14 without it.
    #[serde(default = "default_keep_days")]
    #[schema(minimum = 1, maximum = 90)]
    pub keep_days: u32,
    /// The values that are redacted: `user`, `outside` (the answers of granted calls), `context.*`, or one key such as
    /// `context.customerName`. If left out: `context.*` and `outside`.
    #[serde(default = "default_redact")]
    pub redact: BTreeSet<Redaction>,
}

fn default_per_minute() -> u32 {
    60
}

fn default_keep_days() -> u32 {
    14
}

fn default_redact() -> BTreeSet<Redaction> {
    [Redaction::Context, Redaction::Outside].into()
}

/// How a recorded call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RecordedStatus {
    /// The tool was shown.
    Shown,
    /// The tool was hidden.
    Hidden,
    /// The rule or step broke.
    Failed,
    /// The step around a rule changed nothing.
    Agreed,
    /// The step before a rule changed the settings that the rule received.
    Amended,
    /// The step let the change go on.
    Proceeds,
    /// The step rejected the change.
    Rejected,
}

impl RecordedStatus {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shown => "shown",
            Self::Hidden => "hidden",
            Self::Failed => "failed",
            Self::Agreed => "agreed",
            Self::Amended => "amended",
            Self::Proceeds => "proceeds",
            Self::Rejected => "rejected",
        }
    }
}

/// A value that is redacted before a call is kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Redaction {
    /// Every value of the session's context.
    Context,
    /// One value of the session's context, by key.
    ContextKey(String),
    /// The answers of granted calls.
    Outside,
    /// The login of the person.
    User,
}

/// A text that names no value that could be redacted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names nothing that is recorded: say `user`, `outside`, `context.*` or `context.` with a key")]
pub struct InvalidRedaction(String);

impl FromStr for Redaction {
    type Err = InvalidRedaction;

    fn from_str(text: &str) -> Result<Self, InvalidRedaction> {
        match (text, text.strip_prefix("context.")) {
            ("user", _) => Ok(Self::User),
            ("outside", _) => Ok(Self::Outside),
            (_, Some("*")) => Ok(Self::Context),
            (_, Some(key)) if !key.is_empty() => Ok(Self::ContextKey(key.to_owned())),
            _ => Err(InvalidRedaction(text.chars().take(100).collect())),
        }
    }
}

impl fmt::Display for Redaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User => f.write_str("user"),
            Self::Outside => f.write_str("outside"),
            Self::Context => f.write_str("context.*"),
            Self::ContextKey(key) => write!(f, "context.{key}"),
        }
    }
}

impl TryFrom<String> for Redaction {
    type Error = InvalidRedaction;

    fn try_from(text: String) -> Result<Self, InvalidRedaction> {
        text.parse()
    }
}

impl From<Redaction> for String {
    fn from(redaction: Redaction) -> Self {
        redaction.to_string()
    }
}

impl RecordingSettings {
    /// Tells whether calls are recorded at `now`.
    pub fn is_on(&self, now: jiff::Timestamp) -> bool {
        now < self.until
    }

    /// Redacts values of a session's context: equal values by equal texts. Returns the keys of the redacted values.
    pub fn redact(&self, context: &mut BTreeMap<String, String>) -> Vec<String> {
        let mut known: Vec<String> = Vec::new();
        let mut replaced = Vec::new();
        for (key, value) in context.iter_mut().filter(|(key, _)| self.hides(key)) {
            let number = known.iter().position(|before| before == value).unwrap_or_else(|| {
                known.push(value.clone());
                known.len() - 1
            });
            *value = format!("redacted-{}", number + 1);
            replaced.push(format!("context.{key}"));
        }
        replaced
    }

    /// Tells whether any value but the login of the person is redacted.
    pub fn replaces_values(&self) -> bool {
        self.redact.iter().any(|redaction| *redaction != Redaction::User)
    }

    fn hides(&self, key: &str) -> bool {
        self.redact.contains(&Redaction::Context) || self.redact.contains(&Redaction::ContextKey(key.to_owned()))
    }

    /// Refuses numbers out of range.
    pub(super) fn check(&self, problems: &mut Problems) {
        for (attribute, value, most) in
            [("recording.perMinute", self.per_minute, 6_000), ("recording.keepDays", self.keep_days, 90)]
        {
            if !(1..=most).contains(&value) {
                problems.refuse(attribute, format!("it is {value}: between 1 and {most}"));
            }
        }
    }
}

impl utoipa::PartialSchema for Redaction {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        super::text::plain("What is replaced in recordings.", "^(user|outside|context[.].+)$", 1, 1000)
    }
}

impl utoipa::ToSchema for Redaction {
    fn name() -> std::borrow::Cow<'static, str> {
        "Redaction".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(redact: &[&str]) -> RecordingSettings {
        let redact = redact.iter().map(|text| text.parse().unwrap()).collect();
        RecordingSettings { until: jiff::Timestamp::UNIX_EPOCH, per_minute: 1, keep_days: 1, redact }
    }

    #[test]
    fn only_what_is_named_is_replaced_and_equal_values_stay_equal() {
        let context =
            || BTreeMap::from([("a", "Ada"), ("b", "Bob"), ("c", "Ada")].map(|(k, v)| (k.to_owned(), v.to_owned())));
        for (redact, expected, replaced) in [
            (&["context.*"][..], ["redacted-1", "redacted-2", "redacted-1"], 3),
            (&["context.b"], ["Ada", "redacted-1", "Ada"], 1),
            (&["user", "context.c", "context.x"], ["Ada", "Bob", "redacted-1"], 1),
            (&[], ["Ada", "Bob", "Ada"], 0),
        ] {
            let mut found = context();
            assert_eq!(settings(redact).redact(&mut found).len(), replaced);
            assert_eq!(found.into_values().collect::<Vec<_>>(), expected, "{redact:?}");
        }
    }

    #[test]
    fn what_is_replaced_has_one_spelling() {
        for text in ["user", "outside", "context.*", "context.customerName"] {
            assert_eq!(text.parse::<Redaction>().unwrap().to_string(), text);
        }
        for text in ["", "context", "context.", "users", "Context.*"] {
            assert!(text.parse::<Redaction>().is_err(), "{text:?}");
        }
    }
}
