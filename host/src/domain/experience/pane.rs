//! The side panel, with the outcome for every tool.

use serde::Serialize;
use serde_json::Value;

use super::HiddenBy;
use crate::domain::trace::TraceId;
use crate::domain::{FaultPolicy, PaneMode};

/// The side panel in force.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Pane {
    /// Whether there is a panel.
    pub enabled: bool,
    /// How it starts in this session.
    pub mode: PaneMode,
    /// Every tool the profile places, hidden ones included, from the top.
    pub tools: Vec<Tool>,
}

/// A tool and its status.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tool {
    /// The tool kind, such as `scripts`.
    pub tool: String,
    /// The unique name of the tool.
    pub unique_name: String,
    /// Shown.
    pub name: String,
    /// Position from the top.
    pub order: u32,
    /// Path of the icon.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    /// Shown while pointing at the icon.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tooltip: Option<String>,
    /// The control or page that draws it.
    pub control: String,
    /// The status of the tool.
    #[serde(flatten)]
    pub status: ToolStatus,
}

/// The status of a tool.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(tag = "status", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum ToolStatus {
    /// The person sees it.
    Shown {
        /// The payload that its rule component decided.
        #[schema(value_type = Object)]
        payload: Value,
        /// The policy and the fault, if this is not the rule component's own decision now.
        #[serde(skip_serializing_if = "Option::is_none")]
        degraded: Option<Degraded>,
    },
    /// A gate or its rule component hid it.
    Hidden {
        /// The gate, and what would open it.
        #[schema(rename = "hiddenBy")]
        hidden_by: HiddenBy,
        /// The policy and the fault, if this is not the rule component's own decision now.
        #[serde(skip_serializing_if = "Option::is_none")]
        degraded: Option<Degraded>,
    },
    /// Its rule component broke; the tool is not shown.
    Failed {
        /// The fault.
        fault: ToolFault,
    },
}

/// The substitute for a decision, because the rule component broke.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Degraded {
    /// The policy that supplied it: `use-default` or `use-last-good`.
    pub policy: FaultPolicy,
    /// The fault of the rule component.
    pub fault: ToolFault,
}

/// The fault of a rule component or a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ToolFault {
    /// A stable code, such as `plugin.timeout`.
    pub code: String,
    /// One sentence.
    pub message: String,
    /// The component, as `publisher/name`.
    pub plugin: String,
    /// Its version.
    pub version: String,
    /// The record of the call, for `/api/v1/traces/{id}`; nothing if none is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceId>,
    /// The number of seconds after which a retry may succeed, where known. The header `Retry-After` gives it where the
    /// fault is the whole answer.
    #[serde(rename = "retryAfter", skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
}
