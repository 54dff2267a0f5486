//! The state and the source of an item: whether it is active, and where it came from.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::secret_column::is_secret;

/// Whether an item is in use (`statecode`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is in use.
    #[default]
    Active,
    /// It is kept, but skipped.
    Inactive,
}

impl State {
    /// Tells whether it is [`State::Active`].
    pub fn is_active(&self) -> bool {
        *self == Self::Active
    }
}

/// Where an item came from, kept so that it can go back unchanged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Source {
    /// The GUID that the item had at its source, lower case without braces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Whether it was part of a managed solution.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub managed: bool,
    /// Columns of the source without a meaning here, with their texts.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "without_secrets")]
    pub attributes: BTreeMap<String, String>,
    /// Attributes of a shipped item whose values did not ship, as paths such as `productivityPane.enabled`. A newer
    /// version of the product leaves them alone (ruling 8.15).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub kept: BTreeMap<String, Origin>,
}

/// Refuses columns that hold secrets. The store and the readers of archives remove them before, and no other writer has
/// a reason to send one.
fn without_secrets<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    let attributes = BTreeMap::<String, String>::deserialize(deserializer)?;
    match attributes.iter().find(|(name, value)| is_secret(name, value)) {
        Some((name, _)) => Err(D::Error::custom(format!(
            "`{name}` holds a secret, and no item keeps one: leave it out, and write it with `PUT /api/v1/secrets/{{name}}`"
        ))),
        None => Ok(attributes),
    }
}

/// The origin of a value that did not ship with the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub enum Origin {
    /// The environment had it before it was upgraded.
    #[serde(rename = "kept from existing environment")]
    ExistingEnvironment,
}

/// Returns a GUID in lower case without braces, if `typed` is one.
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
