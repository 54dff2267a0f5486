//! The trait of a tool plugin, and the conversion of its settings from JSON and of its payload to JSON.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::reading::read;
use crate::{Decision, Fault, Session};

/// The rule of one kind of productivity tool.
pub trait Tool {
    /// The settings that a profile may set. Give the type `#[serde(deny_unknown_fields)]`, so that a mistyped key is
    /// named and not ignored.
    type Settings: DeserializeOwned;

    /// The payload for the control that draws the tool. Must become a JSON object.
    type Payload: Serialize;

    /// Decides for the person and session that `session` describes. Equal reads and settings must give equal decisions.
    fn evaluate(session: &Session<'_>, settings: Self::Settings) -> Result<Decision<Self::Payload>, Fault>;
}

/// The settings of what has none: an empty object, and nothing else.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoSettings {}

/// Reads the settings, asks the tool, and writes the payload.
pub(crate) fn evaluate<T: Tool>(session: &Session<'_>, settings: &str) -> Result<Decision<String>, Fault> {
    T::evaluate(session, read(settings, "settings", "bad-settings")?)?.written()
}
