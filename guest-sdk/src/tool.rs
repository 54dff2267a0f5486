//! The one trait of a tool plugin, and the way from JSON text to a decision and back.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Decision, Fault, Session};

/// The rule of one kind of productivity tool.
pub trait Tool {
    /// What a profile may set. Give it `#[serde(deny_unknown_fields)]`, so that a mistyped key is named and not ignored.
    type Settings: DeserializeOwned;

    /// What the control that draws the tool is given. Must become a JSON object.
    type Payload: Serialize;

    /// Decides for the person and session that `session` describes. Equal reads and settings must give equal decisions.
    fn evaluate(session: &Session<'_>, settings: Self::Settings) -> Result<Decision<Self::Payload>, Fault>;
}

/// The settings of a tool that has none: an empty object, and nothing else.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoSettings {}

/// Reads the settings, asks the tool, and writes the payload.
pub(crate) fn evaluate<T: Tool>(session: &Session<'_>, settings: &str) -> Result<Decision<String>, Fault> {
    T::evaluate(session, read_settings(settings)?)?.written()
}

fn read_settings<S: DeserializeOwned>(settings: &str) -> Result<S, Fault> {
    let mut json = serde_json::Deserializer::from_str(settings);
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let at = if path == "." { "settings".to_owned() } else { format!("settings.{path}") };
        // The position belongs to the host's own text, which nobody has seen.
        let reason = error.into_inner().to_string();
        let reason = reason.rsplit_once(" at line ").map_or(reason.as_str(), |(reason, _)| reason);
        Fault::new("bad-settings", format!("`{at}`: {reason}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Settings {
        #[expect(dead_code, reason = "only read, to see what is refused")]
        record_types: std::collections::BTreeMap<String, Vec<u32>>,
    }

    #[test]
    fn settings_that_do_not_fit_name_the_key() {
        for (settings, expected) in [
            (
                r#"{"recordTypes":{"incident":[1,"x"]}}"#,
                "`settings.recordTypes.incident[1]`: invalid type: string \"x\", expected u32",
            ),
            (r#"{"recordTypes":{},"colour":1}"#, "`settings.colour`: unknown field `colour`, expected `recordTypes`"),
            ("{}", "`settings`: missing field `recordTypes`"),
            ("[", "`settings`: EOF while parsing a list"),
        ] {
            let fault = read_settings::<Settings>(settings).unwrap_err();
            assert_eq!((fault.code(), fault.message()), ("bad-settings", expected), "for {settings}");
        }
    }

    #[test]
    fn a_tool_without_settings_refuses_some() {
        assert_eq!(read_settings("{}"), Ok(NoSettings {}));
        let fault = read_settings::<NoSettings>(r#"{"a":1}"#).unwrap_err();
        assert!(fault.message().contains("`a`"), "{fault}");
    }
}
