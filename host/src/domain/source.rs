//! What every item has besides its meaning: whether it takes part, and where it came from.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::secret_column::is_secret;

/// Whether an item takes part in anything (`statecode`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It does.
    #[default]
    Active,
    /// It is kept, and skipped.
    Inactive,
}

impl State {
    /// Whether it is the state that takes part.
    pub fn is_active(&self) -> bool {
        *self == Self::Active
    }
}

/// Where an item came from, kept so that it can go back unchanged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Source {
    /// The GUID the item had there, lower case without braces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Whether it was part of a managed solution.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub managed: bool,
    /// Columns that mean nothing here, with their texts.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "without_secrets")]
    pub attributes: BTreeMap<String, String>,
    /// Attributes of something that came with the product whose values came from elsewhere, as paths such as
    /// `productivityPane.enabled`. A newer product leaves them alone (ruling 8.15).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub kept: BTreeMap<String, Origin>,
}

/// Refuses columns that hold secrets: the store and the readers of archives take them out before, and no other has a reason to write one.
fn without_secrets<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    let attributes = BTreeMap::<String, String>::deserialize(deserializer)?;
    match attributes.iter().find(|(name, value)| is_secret(name, value)) {
        Some((name, _)) => Err(D::Error::custom(format!(
            "`{name}` holds a secret, and no item keeps one: leave it out, and write it with `PUT /api/v1/secrets/{{name}}`"
        ))),
        None => Ok(attributes),
    }
}

/// Where a value came from that the product did not bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub enum Origin {
    /// The environment had it before it was upgraded.
    #[serde(rename = "kept from existing environment")]
    ExistingEnvironment,
}

/// A GUID in lower case without braces, if `typed` is one.
pub fn guid(typed: &str) -> Option<String> {
    let bare = typed.trim();
    let bare = bare.strip_prefix('{').and_then(|it| it.strip_suffix('}')).unwrap_or(bare);
    let lengths = [8, 4, 4, 4, 12];
    let mut parts = bare.split('-');
    let fits = lengths.iter().all(|length| {
        parts.next().is_some_and(|part| part.len() == *length && part.bytes().all(|b| b.is_ascii_hexdigit()))
    });
    (fits && parts.next().is_none()).then(|| bare.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guid_is_one_in_any_spelling() {
        let bare = "29cc12f3-0f47-ee11-be6e-000d3a314234";
        for typed in [bare, "{29CC12F3-0F47-EE11-BE6E-000D3A314234}", " 29CC12f3-0f47-ee11-be6e-000d3a314234\r\n"] {
            assert_eq!(guid(typed).as_deref(), Some(bare), "{typed}");
        }
        for typed in ["", "fab_x", "{29cc12f3}", "29cc12f3-0f47-ee11-be6e-000d3a31423g", &format!("{bare}-0")] {
            assert_eq!(guid(typed), None, "{typed}");
        }
    }
}
