//! The side panel: what became of every tool.

use serde::Serialize;
use serde_json::Value;

use super::HiddenBy;
use crate::domain::trace::TraceId;
use crate::domain::{FaultPolicy, PaneMode};

/// The side panel in force.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Pane {
    /// Whether there is one.
    pub enabled: bool,
    /// How it starts in this session.
    pub mode: PaneMode,
    /// Every tool the profile places, hidden ones included, from the top.
    pub tools: Vec<Tool>,
}

/// A tool and what became of it.
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
    /// What became of it.
    #[serde(flatten)]
    pub status: ToolStatus,
}

/// What became of a tool.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(tag = "status", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum ToolStatus {
    /// The person sees it.
    Shown {
        /// What its rule component decided.
        #[schema(value_type = Object)]
        payload: Value,
        /// Why that is not what its rule component decides now.
        #[serde(skip_serializing_if = "Option::is_none")]
        degraded: Option<Degraded>,
    },
    /// A gate or its rule component hid it.
    Hidden {
        /// Which, and what it needs.
        #[schema(rename = "hiddenBy")]
        hidden_by: HiddenBy,
        /// Why that is not what its rule component decides now.
        #[serde(skip_serializing_if = "Option::is_none")]
        degraded: Option<Degraded>,
    },
    /// Its rule component broke; the tool is not shown.
    Failed {
        /// How.
        fault: ToolFault,
    },
}

/// A decision that stands in for one, because the rule component broke.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Degraded {
    /// What was done: `use-default` or `use-last-good`.
    pub policy: FaultPolicy,
    /// How it broke.
    pub fault: ToolFault,
}

/// How a rule component broke.
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
    /// Seconds after which it may succeed, where that is known. `Retry-After` says it where the fault is the whole answer.
    #[serde(rename = "retryAfter", skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
}
