//! What every item has besides its meaning: whether it takes part, and where it came from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

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
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
}
