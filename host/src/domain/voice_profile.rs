//! Voice profiles: how calls are taken or made. They are not experience profiles, but bind session and notification
//! templates after the workstream.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::item::item_basics;
use super::*;

/// How calls are taken or made (domain 2.14).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VoiceProfile {
    /// Shown in lists.
    pub name: Localized<100>,
    /// Inactive voice profiles are skipped.
    #[serde(default, skip_serializing_if = "State::is_active")]
    pub state: State,
    /// Whether calls come in or go out.
    pub direction: CallDirection,
    /// The fallback of its direction.
    #[serde(default)]
    pub default: bool,
    /// The numbers it serves.
    #[serde(default)]
    pub phone_numbers: BTreeSet<Text<32>>,
    /// The queue in which its calls wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<Name<Queue>>,
    /// The language callers are greeted in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// The parts of a call that are kept.
    #[serde(default)]
    pub recording: Recording,
    /// Whether calls may go to an outside number.
    #[serde(default)]
    pub transfer_to_external_number: bool,
    /// The template its sessions use; generic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_template: Option<Name<SessionTemplate>>,
    /// Announces a consult.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consult_notification: Option<Name<NotificationTemplate>>,
    /// Announces a transfer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer_notification: Option<Name<NotificationTemplate>>,
}

/// Whether calls come in or go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say all there is to say")]
pub enum CallDirection {
    Inbound,
    Outbound,
}

/// The parts of a call that are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say all there is to say")]
pub enum Recording {
    #[default]
    None,
    Transcription,
    TranscriptionAndRecording,
}

impl Item for VoiceProfile {
    item_basics!(VoiceProfile, named, stateful);

    fn references(&mut self, visit: &mut dyn FnMut(Reference<'_>)) {
        if let Some(queue) = &mut self.queue {
            visit(queue.reference("queue"));
        }
        if let Some(template) = &mut self.session_template {
            visit(template.reference("sessionTemplate"));
        }
        if let Some(template) = &mut self.consult_notification {
            visit(template.reference("consultNotification"));
        }
        if let Some(template) = &mut self.transfer_notification {
            visit(template.reference("transferNotification"));
        }
    }
}
