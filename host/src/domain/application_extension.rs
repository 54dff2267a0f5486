//! Application extensions: additions to what profiles can hold.

use serde::{Deserialize, Serialize};

use super::item::item_basics;
use super::*;

/// An addition to what profiles can hold (`msdyn_applicationextension`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApplicationExtension {
    /// For administrators.
    pub name: Localized<100>,
    /// Inactive extensions are skipped.
    #[serde(default, skip_serializing_if = "State::is_active")]
    pub state: State,
    /// The relationship that joins the extension's rows to a profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relationship: Option<Text<100>>,
    /// The number of such rows that a profile can have.
    #[serde(default)]
    pub cardinality: Cardinality,
    /// Whether it came with the product.
    #[serde(default)]
    pub system: bool,
    /// Page that administers the extension.
    pub web_resource: Text<256>,
    /// Where the extension came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

/// The number of rows (`msdyn_relationship_cardinality`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Cardinality {
    /// At most one.
    One,
    /// Any number.
    #[default]
    Many,
}

impl Item for ApplicationExtension {
    item_basics!(ApplicationExtension, named, stateful);
}
