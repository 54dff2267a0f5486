//! The answer: what one person gets in one session, and why.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::*;

/// What one person gets. Equal inputs give equal bytes.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Experience {
    /// Names the decision: equal for equal inputs, configuration and components.
    pub decision_id: String,
    /// The configuration it was made from.
    pub revision: Revision,
    /// The login; nothing for a hypothetical person.
    pub user: Option<String>,
    /// The app that asks.
    pub app: String,
    /// The profile in force.
    pub profile: ChosenProfile,
    /// Conversations and telephony.
    pub channels: ActiveChannels,
    /// The session; nothing when none was asked for, as in Home.
    pub session: Option<Session>,
    /// The side panel.
    pub productivity_pane: Pane,
    /// The inbox.
    pub inbox: VisibleInbox,
    /// Generative helpers.
    pub copilot: ActiveCopilot,
    /// The library items the tools name, by collection and unique name, ready to be drawn.
    #[schema(value_type = BTreeMap<String, BTreeMap<String, Object>>)]
    pub library: BTreeMap<String, BTreeMap<String, Value>>,
    /// What an administrator should mend.
    pub warnings: Vec<Warning>,
    /// Why, as deep as was asked for.
    pub explain: Vec<Explanation>,
}

/// The profile in force.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChosenProfile {
    /// Its unique name.
    pub unique_name: String,
    /// Its name in the person's language.
    pub name: String,
    /// How the person came to it.
    pub assignment: Assignment,
}

/// How a person came to a profile.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Assignment {
    /// The way.
    pub method: AssignmentMethod,
    /// The role that matched, when role-based.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The rank that won, when role-based.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<u8>,
}

/// The ways to a profile, the most specific first (ruling 8.21).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AssignmentMethod {
    /// The person was added to the profile.
    Direct,
    /// The person holds a role that is mapped to it.
    RoleBased,
    /// It is the custom default.
    Default,
    /// It is the profile the app shipped with.
    OutOfTheBox,
}

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
    /// Telephony of others, by precedence.
    pub providers: Vec<Provider>,
}

/// A channel that is not loaded.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HiddenChannel {
    /// The channel.
    pub channel: Channel,
    /// Why.
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

/// What opens.
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
    /// What announces the work; nothing when no workstream says.
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
    /// Parameters with their slugs replaced. A page of somebody else has its whole `address` here, too.
    pub parameters: BTreeMap<String, String>,
}

/// What announces the work.
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
    /// Seconds until the work is offered to somebody else.
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

/// What a notification announces.
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
    },
    /// A gate or its rule component hid it.
    Hidden {
        /// Which, and what it needs.
        hidden_by: HiddenBy,
    },
    /// Its rule component broke; the tool is not shown.
    Failed {
        /// How.
        fault: ToolFault,
    },
}

/// What hid something.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct HiddenBy {
    /// The gate.
    pub gate: Gate,
    /// What would open it.
    pub needs: String,
    /// The reason code of the rule component, when its rule is the gate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

impl std::fmt::Display for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Profile => "profile",
            Self::Tenant => "tenant",
            Self::Licence => "licence",
            Self::Role => "role",
            Self::Configured => "configured",
            Self::Rule => "rule",
        })
    }
}

impl HiddenBy {
    /// `gate`, which `needs` would open.
    pub fn gate(gate: Gate, needs: impl Into<String>) -> Self {
        Self { gate, needs: needs.into(), code: None }
    }
}

/// What must be open for something to appear (domain 3.3), in the order they are tried; then the tool's own rule.
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
    /// What it builds on is configured.
    Configured,
    /// Its rule component shows it.
    Rule,
}

/// How a rule component broke.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ToolFault {
    /// A stable code, such as `plugin.timeout`.
    pub code: String,
    /// One sentence.
    pub message: String,
    /// The component, as `publisher/name`.
    pub plugin: String,
    /// Its version.
    pub version: String,
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
    /// Why.
    pub hidden_by: HiddenBy,
}

/// Generative helpers in force.
#[derive(Debug, Clone, Default, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ActiveCopilot {
    /// Every helper the profile speaks of, and whether the person has it.
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
    /// Why.
    pub hidden_by: HiddenBy,
}

/// Something an administrator should mend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Warning {
    /// A stable code, such as `slug-unresolved`.
    pub code: String,
    /// One sentence that names the item.
    pub message: String,
}

/// How deep an answer explains itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ExplainLevel {
    /// Not at all.
    #[default]
    None,
    /// The choices that were made.
    Reasons,
    /// The losers, too, and what every rule component read.
    Full,
}

/// A line of the explain tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Explanation {
    /// What was decided, such as `profile`, `title` or `tool`.
    pub about: String,
    /// The candidate the line is about, by unique name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What became of it: `chosen`, `lost`, `shown`, `hidden`, `failed`, `opened`, `left-out` or `read`.
    pub outcome: Outcome,
    /// One sentence.
    pub because: String,
    /// What the line rests on.
    #[schema(no_recursion)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub under: Vec<Explanation>,
}

/// What became of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say all there is to say")]
pub enum Outcome {
    Chosen,
    Lost,
    Shown,
    Hidden,
    Failed,
    Opened,
    LeftOut,
    Read,
}
