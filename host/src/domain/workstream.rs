//! Workstreams and queues: the sources of work, as far as they matter for experiences.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::item::item_basics;
use super::*;

/// A container for routing work of one channel (`msdyn_liveworkstream`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Workstream {
    /// Shown in lists.
    pub name: Localized<100>,
    /// Inactive workstreams are skipped.
    #[serde(default, skip_serializing_if = "State::is_active")]
    pub state: State,
    /// The channel its work comes from.
    pub channel: Channel,
    /// The template its sessions use; generic. Without it, the channel's out-of-the-box template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_template: Option<Name<SessionTemplate>>,
    /// The notifications that announce its work, by event.
    #[serde(default)]
    pub notifications: Notifications,
    /// Whether bots give suggestions in its conversations.
    #[serde(default)]
    pub smart_assist_bots: Vec<Text<100>>,
    /// The queue for work that no rule routes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback_queue: Option<Name<Queue>>,
    /// How work reaches people.
    #[serde(default)]
    pub distribution: Distribution,
    /// Where the workstream came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

/// Notification templates by event.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[expect(missing_docs, reason = "the events are the product's own and say all there is to say")]
pub struct Notifications {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incoming_authenticated: Option<Name<NotificationTemplate>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incoming_unauthenticated: Option<Name<NotificationTemplate>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consult: Option<Name<NotificationTemplate>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transfer: Option<Name<NotificationTemplate>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supervisor_assign: Option<Name<NotificationTemplate>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback_preview_dialing: Option<Name<NotificationTemplate>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_dial: Option<Name<NotificationTemplate>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_pre_dial: Option<Name<NotificationTemplate>>,
}

/// A channel, such as chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names are the products' own and say all there is to say")]
pub enum Channel {
    Chat,
    CustomMessaging,
    Facebook,
    Line,
    Sms,
    Teams,
    Twitter,
    Wechat,
    Whatsapp,
    Voice,
    /// Records routed like conversations.
    Record,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 11] = [
        Self::Chat,
        Self::CustomMessaging,
        Self::Facebook,
        Self::Line,
        Self::Sms,
        Self::Teams,
        Self::Twitter,
        Self::Wechat,
        Self::Whatsapp,
        Self::Voice,
        Self::Record,
    ];

    /// The licence a person needs to work on the channel, if any (domain 3.3).
    pub fn licence(self) -> Option<&'static str> {
        match self {
            Self::Chat => Some("chat"),
            Self::Voice => Some("voice"),
            Self::Record => None,
            _ => Some("digital-messaging"),
        }
    }

    /// The name on the wire, such as `custom-messaging`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::CustomMessaging => "custom-messaging",
            Self::Facebook => "facebook",
            Self::Line => "line",
            Self::Sms => "sms",
            Self::Teams => "teams",
            Self::Twitter => "twitter",
            Self::Wechat => "wechat",
            Self::Whatsapp => "whatsapp",
            Self::Voice => "voice",
            Self::Record => "record",
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How work reaches people (`msdyn_workdistributionmode`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Distribution {
    /// It is offered to one person.
    #[default]
    Push,
    /// People take it.
    Pick,
}

/// A list of waiting work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Queue {
    /// Shown in lists.
    pub name: Localized<100>,
    /// For administrators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Localized<2000>>,
    /// Inactive queues are skipped.
    #[serde(default, skip_serializing_if = "State::is_active")]
    pub state: State,
    /// Only members see what waits in it.
    #[serde(default)]
    pub private: bool,
    /// Where the queue came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

impl Item for Queue {
    item_basics!(Queue, named, stateful);
}

impl Item for Workstream {
    item_basics!(Workstream, named, stateful);

    fn references(&mut self, visit: &mut dyn FnMut(Reference<'_>)) {
        if let Some(template) = &mut self.session_template {
            visit(template.reference("sessionTemplate"));
        }
        let Notifications {
            incoming_authenticated,
            incoming_unauthenticated,
            consult,
            transfer,
            supervisor_assign,
            callback_preview_dialing,
            agent_dial,
            agent_pre_dial,
        } = &mut self.notifications;
        for template in [
            incoming_authenticated,
            incoming_unauthenticated,
            consult,
            transfer,
            supervisor_assign,
            callback_preview_dialing,
            agent_dial,
            agent_pre_dial,
        ]
        .into_iter()
        .flatten()
        {
            visit(template.reference("notifications"));
        }
        if let Some(queue) = &mut self.fallback_queue {
            visit(queue.reference("fallbackQueue"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_channel_is_its_name_on_the_wire() {
        for channel in Channel::ALL {
            assert_eq!(serde_json::to_value(channel).unwrap(), channel.as_str());
        }
    }
}
