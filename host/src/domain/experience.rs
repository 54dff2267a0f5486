//! The answer of resolution: the experience of one person in one session, and its reasons.

mod explanation;
mod gate;
mod pane;
mod sections;
mod session;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Revision;

pub use explanation::{ExplainLevel, Explanation, Outcome, Warning};
pub use gate::{Gate, HiddenBy};
pub use pane::{Degraded, Pane, Tool, ToolFault, ToolStatus};
pub use sections::{ActiveChannels, ActiveCopilot, HiddenChannel, HiddenFeature, HiddenView, Provider, VisibleInbox};
pub use session::{Field, Notification, NotificationEvent, Session, Tab};

/// The experience of one person. Equal inputs give equal bytes.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Experience {
    /// The id of the decision: equal for equal inputs, configuration and components.
    pub decision_id: String,
    /// The revision of the configuration.
    pub revision: Revision,
    /// The login; nothing for a hypothetical person.
    pub user: Option<String>,
    /// The app that asks.
    pub app: String,
    /// The profile in force.
    pub profile: ChosenProfile,
    /// Conversations and telephony.
    pub channels: ActiveChannels,
    /// The session; nothing when the question names none, as in Home.
    pub session: Option<Session>,
    /// The side panel.
    pub productivity_pane: Pane,
    /// The inbox.
    pub inbox: VisibleInbox,
    /// Generative helpers.
    pub copilot: ActiveCopilot,
    /// The library items that the tools name, by collection and unique name, in the form that controls draw.
    #[schema(value_type = BTreeMap<String, BTreeMap<String, Object>>)]
    pub library: BTreeMap<String, BTreeMap<String, Arc<Value>>>,
    /// Faults that an administrator should mend.
    pub warnings: Vec<Warning>,
    /// The reasons, as deep as the question asks.
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
    /// How the person got the profile.
    pub assignment: Assignment,
}

/// How a person got a profile.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Assignment {
    /// The method.
    pub method: AssignmentMethod,
    /// The role that matched, when role-based.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The rank that won, when role-based.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<u8>,
}

/// The methods of assignment, the most specific first (ruling 8.21).
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
