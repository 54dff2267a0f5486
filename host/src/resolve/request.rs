//! The question that resolution answers: about which person, asked by which request, and about which session.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::experience::NotificationEvent;
use crate::domain::experience::ToolFault;
use crate::domain::name::NAME_MAX;
use crate::domain::session_context::{self, InvalidContext};
use crate::domain::{Channel, Effort, Kind, Name, Profile, User};

/// The person whose experience is asked for.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The login; nothing for a hypothetical person.
    pub login: Option<String>,
    /// Roles, licences and language.
    pub user: User,
    /// The profiles the person is assigned to directly.
    pub direct: Vec<Name<Profile>>,
    /// A hypothetical profile, which skips the selection.
    pub hypothetical_profile: Option<Name<Profile>>,
}

/// The request that waits for the answer, and its cost so far. Does not change the content of an answer.
#[derive(Debug, Clone, Default)]
pub struct Asker {
    /// The request, for the records of calls.
    pub request: Option<Arc<str>>,
    /// The name of the caller's access token.
    pub token: Option<Arc<str>>,
    /// The cost of the request so far, and whether its caller still waits.
    pub effort: Arc<Effort>,
}

/// The session that starts. At most one of `workstream`, `channel`, `entity` and `template` says what kind it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SessionInput {
    /// The workstream a conversation came through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workstream: Option<String>,
    /// The channel of a conversation whose workstream is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// The table of the record that is opened, such as `incident`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity: Option<String>,
    /// A template by name, as when a program opens a session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// The event that announces the conversation. Without it: incoming, authenticated if the context has a
    /// `customerRecordId`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<NotificationEvent>,
    /// The automation dictionary: flat, text to text, such as `anchor.ticketnumber`. At most 1,000 keys, 64 KiB in a
    /// value and 256 KiB in all; no control characters but tabs and line ends.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub context: BTreeMap<String, String>,
}

impl SessionInput {
    /// Refuses names longer than any name may be, and a context out of bounds, before resolution uses them.
    pub(super) fn check(&self) -> Result<(), Error> {
        let Self { workstream, entity, template, context, .. } = self;
        for (attribute, name) in [("workstream", workstream), ("entity", entity), ("template", template)] {
            let found = name.as_ref().map_or(0, |name| name.chars().count());
            if found > NAME_MAX {
                return Err(Error::LongName { attribute, found });
            }
        }
        Ok(session_context::check(context)?)
    }
}

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the sentences say what the variants mean, and the fields what they speak of")]
pub enum Error {
    #[error("{kind} `{name}` does not exist{hint}")]
    Unknown { kind: Kind, name: String, hint: String },
    #[error("{kind} `{name}` is inactive: activate it first")]
    Inactive { kind: Kind, name: String },
    #[error("a session is of one kind: give one of `workstream`, `channel`, `entity` and `template`, not {given}")]
    AmbiguousSession { given: String },
    #[error("a session needs one of `workstream`, `channel`, `entity` and `template`")]
    EmptySession,
    #[error("session template `{template}` is not in profile `{profile}`: add it there, or open the record instead")]
    NotInProfile { template: String, profile: String },
    #[error("`session.{attribute}` has {found} characters, and a name has {NAME_MAX} at most: no such thing exists")]
    LongName { attribute: &'static str, found: usize },
    #[error(transparent)]
    Context(#[from] InvalidContext),
    #[error("the request was given up before the answer was made: send it again, or ask for less")]
    GivenUp,
    #[error("no profile applies to app `{app}`: assign one, or give the app an out-of-the-box profile")]
    NoProfile { app: String },
    #[error("the rule of tool `{kind}` ({} {}) broke, and no answer is given without it: {}", fault.plugin, fault.version, fault.message)]
    Tool { kind: String, fault: Box<ToolFault> },
    #[error("step `{step}` of {} {} broke, and no answer is given without it for tool `{kind}`: {}", fault.plugin, fault.version, fault.message)]
    ToolStep { kind: String, step: String, fault: Box<ToolFault> },
}
