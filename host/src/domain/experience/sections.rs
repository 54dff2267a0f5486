//! Channels, inbox and generative helpers, with the gates that hide the rest.

use std::collections::BTreeMap;

use serde::Serialize;

use super::HiddenBy;
use crate::domain::{Channel, CopilotFeature, InboxView};

/// Channels and telephony in force.
#[derive(Debug, Clone, Default, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ActiveChannels {
    /// The profile's own switch.
    pub all_active: bool,
    /// The channels that are loaded.
    pub active: Vec<Channel>,
    /// Channels that exist and are not loaded, with the gate that hid them.
    pub hidden: Vec<HiddenChannel>,
    /// Telephony of other vendors, by precedence.
    pub providers: Vec<Provider>,
}

/// A channel that is not loaded.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HiddenChannel {
    /// The channel.
    pub channel: Channel,
    /// The gate that hides it.
    pub hidden_by: HiddenBy,
}

/// A telephony provider in force.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Provider {
    /// Its unique name.
    pub unique_name: String,
    /// Title of the widget.
    pub label: String,
    /// Address of the widget.
    pub channel_url: String,
    /// Click to act.
    pub outbound: bool,
}

/// The inbox in force.
#[derive(Debug, Clone, Default, PartialEq, Serialize, utoipa::ToSchema)]
pub struct VisibleInbox {
    /// Whether there is one.
    pub enabled: bool,
    /// The views that are shown.
    pub views: Vec<InboxView>,
    /// Views of the profile that are not shown, with the gate that hid them.
    pub hidden: Vec<HiddenView>,
}

/// An inbox view that is not shown.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HiddenView {
    /// The view.
    pub view: String,
    /// The gate that hides it.
    pub hidden_by: HiddenBy,
}

/// Generative helpers in force.
#[derive(Debug, Clone, Default, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ActiveCopilot {
    /// Every helper that the profile names, and whether the person has it.
    pub features: BTreeMap<CopilotFeature, bool>,
    /// Helpers the profile enables and the person does not have, with the gate that hid them.
    pub hidden: Vec<HiddenFeature>,
}

/// A helper that is not there.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HiddenFeature {
    /// The helper.
    pub feature: CopilotFeature,
    /// The gate that hides it.
    pub hidden_by: HiddenBy,
}
