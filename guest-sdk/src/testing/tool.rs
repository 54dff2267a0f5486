//! Tests of rules: settings as JSON, and cases as data.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::cases::{Scene, add_items, check};
use super::{Facts, Fixture, Items};
use crate::{Decision, Fault, Tool};

impl Fixture {
    /// Asks a tool as the host would: with settings as JSON, and the payload written and read again.
    pub fn evaluate<T: Tool>(&self, settings: Value) -> Result<Decision<Value>, Fault> {
        Ok(match crate::tool::evaluate::<T>(&self.session(), &settings.to_string())? {
            Decision::Hidden { code, text } => Decision::Hidden { code, text },
            Decision::Shown { payload, items } => {
                let read = serde_json::from_str(&payload);
                let payload = read.map_err(|error| Fault::new("bad-payload", error.to_string()))?;
                Decision::Shown { payload, items }
            }
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    name: String,
    #[serde(default)]
    pub(super) session: Facts,
    #[serde(default)]
    pub(super) library: Items,
    #[serde(default)]
    pub(super) settings: Map<String, Value>,
    /// `{"shown": payload, "items": {"kind": ["name"]}}`, `{"hidden": code}` or `{"fault": code}`, and `"warnings":
    /// ["line"]`; `items` and `warnings` are left out if there are none.
    expect: Value,
}

/// Runs every case of every `.yaml`, `.yml` and `.json` file of a folder.
///
/// ```no_run
/// # use loadout_sdk::{Decision, Fault, NoSettings, Session, Tool};
/// # struct MyTool;
/// # impl Tool for MyTool {
/// #     type Settings = NoSettings;
/// #     type Payload = serde_json::Value;
/// #     fn evaluate(_: &Session<'_>, _: NoSettings) -> Result<Decision<Self::Payload>, Fault> { unreachable!() }
/// # }
/// loadout_sdk::testing::check_cases::<MyTool>(concat!(env!("CARGO_MANIFEST_DIR"), "/cases"));
/// ```
///
/// # Panics
///
/// If a case has another outcome than it expects, a file cannot be read as cases, or there are none.
pub fn check_cases<T: Tool>(folder: impl AsRef<Path>) {
    check(folder.as_ref(), |Case { name, session, library, settings, expect }| {
        let ask = |fixture: &Fixture| fixture.evaluate::<T>(Value::Object(settings)).map(shown);
        (Scene { name, session, library, expect }, ask)
    });
}

/// A decision as a case would expect it.
pub(super) fn shown(decision: Decision<Value>) -> Value {
    match decision {
        Decision::Hidden { code, .. } => json!({ "hidden": code }),
        Decision::Shown { payload, items } => {
            let mut shown = json!({ "shown": payload });
            add_items(&mut shown, items);
            shown
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::cases::said;
    use super::*;
    use crate::{Level, NoSettings, Session};

    struct Echo;

    impl Tool for Echo {
        type Settings = NoSettings;
        type Payload = Value;

        fn evaluate(session: &Session<'_>, _: NoSettings) -> Result<Decision<Value>, Fault> {
            session.log(Level::Debug, "not for the outcome");
            let Some(key) = session.get("key") else { return Err(Fault::new("no-key", "the context has no `key`")) };
            if key.is_empty() {
                session.warn("the key is empty");
                return Ok(Decision::hidden("empty", "Shown once there is a key."));
            }
            let names = session.library().names("macros");
            Ok(Decision::shown(json!({ "key": key })).naming("macros", names))
        }
    }

    #[test]
    fn an_outcome_is_all_of_what_the_tool_said() {
        let with = |key: &str| Fixture::new().context("key", key).item("macros", "contoso_a", json!({}));
        for (fixture, settings, expected) in [
            (Fixture::new(), json!({}), json!({ "fault": "no-key" })),
            (Fixture::new(), json!({ "a": 1 }), json!({ "fault": "bad-settings" })),
            (with(""), json!({}), json!({ "hidden": "empty", "warnings": ["the key is empty"] })),
            (
                with("x").item("macros", "contoso_b", json!({})),
                json!({}),
                json!({ "shown": { "key": "x" }, "items": { "macros": ["contoso_a", "contoso_b"] } }),
            ),
        ] {
            assert_eq!(said(&fixture, fixture.evaluate::<Echo>(settings).map(shown)), expected);
        }
    }
}
