//! Pane tools: the catalog of tools that can be placed in a productivity pane.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::item::item_basics;
use super::*;

/// A tool that can be placed in a pane (`msdyn_panetoolconfiguration`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PaneTool {
    /// Shown.
    pub name: Localized<100>,
    /// For administrators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Localized<256>>,
    /// Inactive tools are skipped.
    #[serde(default, skip_serializing_if = "State::is_active")]
    pub state: State,
    /// The tool kind, such as `scripts`: it says which rule component decides about the tool, and is the tool's name in
    /// an experience.
    #[schema(value_type = String, min_length = 1, max_length = 100, pattern = "^[a-z0-9-]+$")]
    pub kind: Text<100>,
    /// The name of the control or page that draws the tool.
    pub control: Text<100>,
    /// The kind of thing that `control` names.
    #[serde(default)]
    pub control_type: ControlType,
    /// The category under which the catalog lists the tool.
    #[serde(default)]
    pub category: ToolCategory,
    /// Shown in every session, Home included; global tools know nothing of the session.
    #[serde(default)]
    pub global: bool,
    /// Whether a profile can give the tool settings.
    #[serde(default)]
    pub configurable: bool,
    /// The table that holds such settings elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration_entity: Option<Text<100>>,
    /// Handed to the control.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Text<1000>>,
    /// Path of the icon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<Text<100>>,
    /// The address of further information.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learn_more: Option<Text<100>>,
    /// The requirements for the tool to appear.
    #[serde(default)]
    pub requires: ToolRequirements,
    /// Whether people see the tool while no rule decides about its kind. If left out, the setting of the environment
    /// applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without_rule: Option<WithoutRule>,
    /// Where the tool came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

/// Whether people see a tool while no rule decides about its kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WithoutRule {
    /// The tool is hidden: the missing rule may be one that hid the tool.
    #[default]
    Hide,
    /// The tool is shown with an empty payload: it needs no rule.
    Show,
}

/// The requirements for a tool to appear (domain 3.3).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ToolRequirements {
    /// The person has one of these roles; empty asks for none.
    pub roles: BTreeSet<Name<SecurityRole>>,
    /// The person has one of these licences; empty asks for none.
    pub licences: BTreeSet<Text<100>>,
    /// This switch of the environment is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant_switch: Option<Text<100>>,
}

/// The kind of control that draws a tool (`msdyn_type`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ControlType {
    /// A control.
    #[default]
    Control,
    /// A custom page.
    CustomPage,
}

/// The category under which the catalog lists a tool (`msdyn_category`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names are the product's own and say all there is to say")]
pub enum ToolCategory {
    #[default]
    Uncategorized,
    AgentGuidance,
    Reference,
    Collaboration,
    AutomatedAction,
}

impl Item for PaneTool {
    item_basics!(PaneTool, named, stateful);

    fn references(&mut self, visit: &mut dyn FnMut(Reference<'_>)) {
        profile::visit_set(&mut self.requires.roles, "requires.roles", visit);
    }

    fn check(&self, problems: &mut Problems) {
        let kind = self.kind.as_str();
        if kind.is_empty() || !kind.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
            problems.refuse("kind", format!("`{kind}` is no tool kind: use a-z, 0-9 and `-`, such as `scripts`"));
        }
    }
}
