//! Messages: the names of changes of the configuration, such as `profile.update`.
//!
//! A change of one item is one message, whatever route it came by. Changes of plugins, publishers and connectors have
//! no message: a plugin does not decide about plugins.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Kind;
use super::revision::ChangeRecord;

/// What a tool's rule is asked.
pub const TOOL_EVALUATE: &str = "tool.evaluate";

/// What a step of upgrades is asked.
pub const CONFIG_UPGRADE: &str = "config.upgrade";

/// The stage before everything, in which a step only looks.
pub const PRE_VALIDATION: u8 = 10;

/// The stage in which an operation happens.
pub const MAIN_OPERATION: u8 = 30;

/// The kind of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// An item is made.
    Create(Kind),
    /// An item is changed.
    Update(Kind),
    /// An item is deleted.
    Delete(Kind),
    /// A profile is given to a person, or to roles by its rank.
    Assign,
    /// A profile is taken from a person, or from roles.
    Unassign,
    /// Another profile becomes the custom default, or none.
    SetDefault,
    /// An archive is imported. Its targets are all changed items.
    Import,
}

/// The refusal of a name that no message has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no message: messages are such as `profile.update`, `session-template.create`, `profile.assign` and `config.import`"
)]
pub struct UnknownMessage(pub String);

impl Message {
    /// Returns the message of `change`; nothing for a change that has none.
    pub fn of(change: &ChangeRecord) -> Option<Self> {
        if change.collection == ChangeRecord::ASSIGNMENTS {
            return Some(if change.after.is_some() { Self::Assign } else { Self::Unassign });
        }
        let kind: Kind = change.collection.parse().ok()?;
        match (kind, &change.before, &change.after) {
            (Kind::Plugin | Kind::TrustedPublisher | Kind::Connector, ..) => None,
            (Kind::DefaultProfile, ..) => Some(Self::SetDefault),
            (Kind::RankAndRoles, _, after) => Some(if after.is_some() { Self::Assign } else { Self::Unassign }),
            // The environment always exists: its first write is an update of the defaults.
            (Kind::Environment, ..) | (_, Some(_), Some(_)) => Some(Self::Update(kind)),
            (_, None, Some(_)) => Some(Self::Create(kind)),
            (_, _, None) => Some(Self::Delete(kind)),
        }
    }

    /// Returns the kind of item that the message is about, if it is about one.
    pub fn kind(self) -> Option<Kind> {
        match self {
            Self::Create(kind) | Self::Update(kind) | Self::Delete(kind) => Some(kind),
            Self::Assign | Self::Unassign | Self::SetDefault | Self::Import => None,
        }
    }

    fn all() -> impl Iterator<Item = Self> {
        let with_own = |kind: &&Kind| kind.is_collection() || **kind == Kind::Environment;
        let of_kinds = Kind::ALL.iter().filter(with_own).flat_map(|kind| match kind {
            Kind::Environment => vec![Self::Update(*kind)],
            kind => vec![Self::Create(*kind), Self::Update(*kind), Self::Delete(*kind)],
        });
        of_kinds.chain([Self::Assign, Self::Unassign, Self::SetDefault, Self::Import])
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let resource = |kind: Kind| kind.to_string().replace(' ', "-");
        match self {
            Self::Create(kind) => write!(f, "{}.create", resource(*kind)),
            Self::Update(kind) => write!(f, "{}.update", resource(*kind)),
            Self::Delete(kind) => write!(f, "{}.delete", resource(*kind)),
            Self::Assign => f.write_str("profile.assign"),
            Self::Unassign => f.write_str("profile.unassign"),
            Self::SetDefault => f.write_str("profile.set-default"),
            Self::Import => f.write_str("config.import"),
        }
    }
}

impl FromStr for Message {
    type Err = UnknownMessage;

    fn from_str(text: &str) -> Result<Self, UnknownMessage> {
        let known = Self::all().find(|message| message.to_string() == text);
        known.ok_or_else(|| UnknownMessage(text.chars().take(100).collect()))
    }
}

/// When a step is called about a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub enum Stage {
    /// Before the change is checked.
    PreValidation,
    /// Before it is written.
    PreOperation,
    /// After it is written, and before it is visible; an asynchronous step is called once it is visible.
    PostOperation,
}

/// The refusal of a number that no stage has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no stage for steps: there are 10 (before validation), 20 (before the change) and 40 (after it)")]
pub struct UnknownStage(u32);

impl TryFrom<u32> for Stage {
    type Error = UnknownStage;

    fn try_from(number: u32) -> Result<Self, UnknownStage> {
        match number {
            10 => Ok(Self::PreValidation),
            20 => Ok(Self::PreOperation),
            40 => Ok(Self::PostOperation),
            other => Err(UnknownStage(other)),
        }
    }
}

impl From<Stage> for u32 {
    fn from(stage: Stage) -> Self {
        match stage {
            Stage::PreValidation => 10,
            Stage::PreOperation => 20,
            Stage::PostOperation => 40,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_message_has_one_name() {
        let mut seen = std::collections::BTreeSet::new();
        for message in Message::all() {
            assert!(seen.insert(message.to_string()), "{message} twice");
            assert_eq!(message.to_string().parse(), Ok(message));
        }
        assert!(seen.contains("application-tab-template.delete") && seen.contains("user.create"));
        for text in ["", "profile", "profile.publish", "plugin.update", "environment.delete", "rank-and-roles.update"] {
            assert_eq!(text.parse::<Message>(), Err(UnknownMessage(text.to_owned())));
        }
    }

    #[test]
    fn a_change_is_an_instance_of_one_message() {
        let (none, some) = (None, Some(json!({})));
        for (collection, before, after, expected) in [
            ("profiles", &none, &some, Some("profile.create")),
            ("profiles", &some, &some, Some("profile.update")),
            ("session-templates", &some, &none, Some("session-template.delete")),
            ("assignments", &none, &some, Some("profile.assign")),
            ("assignments", &some, &none, Some("profile.unassign")),
            ("rank-and-roles", &some, &some, Some("profile.assign")),
            ("rank-and-roles", &some, &none, Some("profile.unassign")),
            ("default-profile", &some, &none, Some("profile.set-default")),
            ("environment", &none, &some, Some("environment.update")),
            ("plugins", &some, &some, None),
        ] {
            let (collection, name) = (collection.to_owned(), "x".to_owned());
            let change = ChangeRecord { collection, name, before: before.clone(), after: after.clone() };
            assert_eq!(Message::of(&change).map(|it| it.to_string()).as_deref(), expected, "{change:?}");
        }
    }
}
