//! Tests of steps in changes: events as JSON, and cases as data.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::cases::{Scene, check};
use super::{Facts, Fixture, Items};
use crate::step::{Event, Outcome, Proposal, Rejection, Step, Target};
use crate::{Fault, Host, Stage};

impl Fixture {
    /// The host as steps in changes see it.
    ///
    /// ```
    /// # use loadout_sdk::testing::Fixture;
    /// let fixture = Fixture::new();
    /// assert!(fixture.host().library().names("macros").is_empty());
    /// ```
    pub fn host(&self) -> Host<'_> {
        Host::new(self)
    }

    /// Asks a step about an event over the fixture's library.
    ///
    /// The event is an object with `step`, `message`, `stage` and `targets`, and, where they matter, `attempt`,
    /// `author`, `reason`, `configuration` and `shared`. A target has `kind`, `uniqueName`, `values`, `changed` and
    /// `images`; without `changed` the keys of `values` are what differs.
    ///
    /// # Panics
    ///
    /// If `event` is no event.
    pub fn execute<S: Step>(&self, event: Value) -> Result<Outcome, Fault> {
        written(event).ask::<S>(self)
    }
}

/// An event as [`Fixture::execute`] reads it.
///
/// ```
/// let event = loadout_sdk::testing::event(serde_json::json!({
///     "step": "guard", "message": "macro.update", "stage": 20,
///     "targets": [{ "kind": "macros", "uniqueName": "contoso_mail", "values": { "name": "Mail" } }],
/// }));
/// assert_eq!(event.targets[0].changed, ["name"]);
/// ```
///
/// # Panics
///
/// If `event` is no event.
pub fn event(event: Value) -> Event {
    written(event).into_event().0
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenEvent {
    step: String,
    message: String,
    stage: u32,
    #[serde(default = "first")]
    attempt: u32,
    author: Option<String>,
    reason: Option<String>,
    #[serde(default)]
    configuration: Map<String, Value>,
    #[serde(default)]
    shared: BTreeMap<String, Value>,
    targets: Vec<WrittenTarget>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenTarget {
    kind: String,
    unique_name: String,
    #[serde(default)]
    values: Map<String, Value>,
    changed: Option<Vec<String>>,
    #[serde(default)]
    images: BTreeMap<String, Value>,
}

fn first() -> u32 {
    1
}

fn written(event: Value) -> WrittenEvent {
    serde_json::from_value(event).unwrap_or_else(|error| panic!("this is no event: {error}"))
}

impl WrittenEvent {
    fn ask<S: Step>(self, fixture: &Fixture) -> Result<Outcome, Fault> {
        let (event, configuration) = self.into_event();
        crate::step::execute::<S>(&fixture.host(), &event, &configuration)
    }

    /// The event, and the configuration that comes with it.
    fn into_event(self) -> (Event, String) {
        let stage = Stage::try_from(self.stage).unwrap_or_else(|fault| panic!("this is no event: {fault}"));
        let properties = [("author", self.author), ("reason", self.reason)];
        let known = properties.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        let event = Event {
            id: "case".to_owned(),
            step: self.step,
            message: self.message,
            stage,
            attempt: self.attempt,
            targets: self.targets.into_iter().map(Into::into).collect(),
            shared: texts(self.shared),
            properties: known.collect(),
        };
        (event, Value::Object(self.configuration).to_string())
    }
}

impl From<WrittenTarget> for Target {
    fn from(target: WrittenTarget) -> Self {
        let mut changed = target.changed.unwrap_or_else(|| target.values.keys().cloned().collect());
        changed.sort();
        Self {
            kind: target.kind,
            unique_name: target.unique_name,
            changed,
            values: Value::Object(target.values).to_string(),
            images: texts(target.images),
        }
    }
}

fn texts(values: BTreeMap<String, Value>) -> Vec<(String, String)> {
    values.into_iter().map(|(key, value)| (key, value.to_string())).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    library: Items,
    event: WrittenEvent,
    /// `{"proceed": {"patches": {"0": {…}}, "shared": {…}}}`, each left out if there is none; `{"reject": code,
    /// "attribute": path}`, the attribute left out if it is no single one; or `{"fault": code}`. And `"warnings":
    /// ["line"]`.
    expect: Value,
}

/// Runs every case of every `.yaml`, `.yml` and `.json` file of a folder: an event, and what a step makes of it.
///
/// ```no_run
/// # use loadout_sdk::step::{Event, Outcome, Step};
/// # use loadout_sdk::{Fault, Host, NoSettings};
/// # struct MyStep;
/// # impl Step for MyStep {
/// #     type Settings = NoSettings;
/// #     fn execute(_: &Host<'_>, _: &Event, _: NoSettings) -> Result<Outcome, Fault> { unreachable!() }
/// # }
/// loadout_sdk::testing::check_step_cases::<MyStep>(concat!(env!("CARGO_MANIFEST_DIR"), "/cases"));
/// ```
///
/// # Panics
///
/// If a case has another outcome than it expects, a file cannot be read as cases, or there are none.
pub fn check_step_cases<S: Step>(folder: impl AsRef<Path>) {
    check(folder.as_ref(), |Case { name, library, event, expect }| {
        let ask = |fixture: &Fixture| event.ask::<S>(fixture).map(shown);
        (Scene { name, session: Facts::default(), library, expect }, ask)
    });
}

/// An outcome as a case would expect it. Several patches of one target are a list.
fn shown(outcome: Outcome) -> Value {
    match outcome {
        Outcome::Reject(Rejection { code, attribute, .. }) => {
            let mut shown = json!({ "reject": code });
            if !attribute.is_empty() {
                shown["attribute"] = attribute.into();
            }
            shown
        }
        Outcome::Proceed(Proposal { patches, shared }) => {
            let mut shown = json!({ "proceed": {} });
            for (target, patch) in patches {
                let known = &mut shown["proceed"]["patches"][target.to_string()];
                *known = match known.take() {
                    Value::Null => patch,
                    Value::Array(mut several) => {
                        several.push(patch);
                        several.into()
                    }
                    one => json!([one, patch]),
                };
            }
            for (key, value) in shared {
                shown["proceed"]["shared"][key] = value;
            }
            shown
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::cases::said;
    use super::*;
    use crate::NoSettings;

    struct Desk;

    impl Step for Desk {
        type Settings = NoSettings;

        fn execute(host: &Host<'_>, event: &Event, _: NoSettings) -> Result<Outcome, Fault> {
            let target = &event.targets[0];
            match event.author() {
                None => Err(Fault::new("no-author", "nobody makes the change").retry_after(3)),
                Some("ada") => {
                    let outcome = Outcome::proceed().patch(0, json!({ "a": target.changed }));
                    Ok(outcome.patch(0, json!({ "b": host.library().names("macros") })).share("seen", event.attempt))
                }
                Some(other) => {
                    host.warn(format!("{other} again"));
                    Ok(Outcome::reject("not-you", "Ask Ada.").at("name"))
                }
            }
        }
    }

    #[test]
    fn an_outcome_is_all_of_what_the_step_said() {
        for (event, expected) in [
            (json!({}), json!({ "fault": "no-author" })),
            (json!({ "configuration": { "a": 1 } }), json!({ "fault": "bad-configuration" })),
            (
                json!({ "author": "bob" }),
                json!({ "reject": "not-you", "attribute": "name", "warnings": ["bob again"] }),
            ),
            (
                json!({ "author": "ada", "attempt": 2 }),
                json!({ "proceed": { "patches": { "0": [{ "a": ["name"] }, { "b": ["contoso_a"] }] }, "shared": { "seen": 2 } } }),
            ),
        ] {
            let mut whole = json!({
                "step": "desk", "message": "macro.update", "stage": 20,
                "targets": [{ "kind": "macros", "uniqueName": "contoso_a", "values": { "name": "x" } }],
            });
            whole.as_object_mut().unwrap().extend(event.as_object().unwrap().clone());
            let fixture = Fixture::new().item("macros", "contoso_a", json!({}));
            assert_eq!(said(&fixture, fixture.execute::<Desk>(whole).map(shown)), expected);
        }
    }
}
