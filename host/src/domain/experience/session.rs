//! The session that opens: its tabs and its notification.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::{CommunicationPanel, DesktopNotification, PageType, Theme};

/// The session that opens.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// The template in force.
    pub template: String,
    /// Shown in the session panel.
    pub title: String,
    /// Path of the icon.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    /// How the communication panel starts.
    pub communication_panel: CommunicationPanel,
    /// The first tab.
    pub anchor_tab: Tab,
    /// The tabs that open after it, in order, unfocused.
    pub tabs: Vec<Tab>,
    /// The notification of the work; nothing when there is none.
    pub notification: Option<Notification>,
}

/// A tab that opens.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tab {
    /// The template in force; nothing for the record form that is an entity session's anchor.
    pub template: Option<String>,
    /// Shown on the tab.
    pub title: String,
    /// The kind of page.
    pub page_type: PageType,
    /// Whether a person may close it.
    pub closable: bool,
    /// Parameters with their slugs replaced. Where a parameter is a part of an address or of JSON, values are escaped,
    /// so that they stay in their blanks. A page of another site has its whole `address` here, too.
    pub parameters: BTreeMap<String, String>,
}

/// The notification that announces the work.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    /// The template in force.
    pub template: String,
    /// The event it is for, such as `incoming-authenticated`.
    pub event: NotificationEvent,
    /// Shown.
    pub title: String,
    /// Path of the icon.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    /// Whether the time left is shown.
    pub show_countdown: bool,
    /// Seconds until the work is offered to another person.
    pub countdown_seconds: u16,
    /// The work is assigned without asking.
    pub auto_assign: bool,
    /// The session opens without asking.
    pub auto_accept: bool,
    /// Caption of the accepting button.
    pub accept_button_text: String,
    /// Caption of the rejecting button; nothing when there is none.
    pub reject_button_text: Option<String>,
    /// When the desktop shows it, too.
    pub desktop: DesktopNotification,
    /// Colours.
    pub theme: Theme,
    /// Lines of detail, from the top.
    pub fields: Vec<Field>,
}

/// The event that a notification announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the events are the product's own and say all there is to say")]
pub enum NotificationEvent {
    IncomingAuthenticated,
    IncomingUnauthenticated,
    Consult,
    Transfer,
    SupervisorAssign,
    CallbackPreviewDialing,
    AgentDial,
    AgentPreDial,
}

/// A line of detail.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Field {
    /// The header.
    pub title: String,
    /// The value.
    pub value: String,
}
