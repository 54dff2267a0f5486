//! Gates: the conditions under which a tool, a channel, a view or a feature appears.

use std::fmt;

use serde::Serialize;

/// The gate that hides a tool, a channel, a view or a feature.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct HiddenBy {
    /// The gate.
    pub gate: Gate,
    /// What would open it.
    pub needs: String,
    /// The reason code of the component, when its rule or a step is the gate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The step, as `publisher/name version step`, when it is the gate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Profile => "profile",
            Self::Tenant => "tenant",
            Self::Licence => "licence",
            Self::Role => "role",
            Self::Configured => "configured",
            Self::Rule => "rule",
            Self::Step => "step",
        })
    }
}

impl HiddenBy {
    /// Makes the value for `gate`, which `needs` would open.
    pub fn gate(gate: Gate, needs: impl Into<String>) -> Self {
        Self { gate, needs: needs.into(), code: None, step: None }
    }
}

/// A condition for a tool, a channel, a view or a feature to appear (domain 3.3), in the order of the checks; then the
/// tool's own rule, and the steps around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Gate {
    /// The profile enables it.
    Profile,
    /// The environment allows it.
    Tenant,
    /// The person has the licence.
    Licence,
    /// The person has the role.
    Role,
    /// The item that it needs is configured.
    Configured,
    /// Its rule component shows it.
    Rule,
    /// No step around its rule hides it.
    Step,
}
