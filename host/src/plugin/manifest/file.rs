//! The file as it is written, and `[plugin]`, which says who a plugin is.
//!
//! Refuses unknown keys. What the values may be is refused where they are given a meaning.

use serde::Deserialize;
use utoipa::ToSchema;

use super::{capabilities, limits, settings, tool, upgrade};

/// What a plugin says about itself.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// Who the plugin is, and what it is built for.
    pub(super) plugin: Header,
    /// In the world `tool` alone: the tools it decides about.
    pub(super) tool: Option<tool::Part>,
    /// In the world `upgrade` alone: the rows it is given.
    pub(super) upgrade: Option<upgrade::Part>,
    /// In the worlds `step` and `tool-step`: what it is asked about. What a step may say depends on the world.
    #[schema(value_type = Option<Vec<Object>>)]
    pub(super) steps: Option<Vec<toml::Value>>,
    /// What administrators may set. Not in the world `upgrade`.
    pub(super) settings: Option<settings::Part>,
    /// What it gets along with.
    pub(super) limits: Option<limits::Part>,
    /// What it would like to reach outside. Not in the world `upgrade`.
    #[schema(value_type = Option<capabilities::Part>)]
    pub(super) capabilities: Option<toml::Value>,
}

/// Who a plugin is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    /// Who publishes it: 1 to 64 of a-z, 0-9 and `-`, a letter first.
    pub(super) publisher: String,
    /// What it is called, in the same characters. With the publisher its identity.
    pub(super) name: String,
    /// Three numbers, such as `1.0.2`. Each version is installed once.
    pub(super) version: String,
    /// What it may import and has to export, such as `loadout:plugin/tool@0.1.0`.
    pub(super) world: String,
    /// One sentence for administrators.
    pub(super) description: String,
}
