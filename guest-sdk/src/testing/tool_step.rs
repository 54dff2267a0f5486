//! Tests of steps around rules: questions as JSON, and cases as data.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::cases::{Scene, add_items, check};
use super::{Facts, Fixture, Items};
use crate::tool_step::{Changes, Outcome, Question, ToolStep};
use crate::{Decision, Fault, Stage};

impl Fixture {
    /// Asks a step about a tool, for the fixture's person and session.
    ///
    /// The question is an object with `step`, `tool` and `stage`, and, where they matter, `settings`, `configuration`,
    /// `decision`, `rule` and `degraded`. A decision is `{"shown": payload, "items": {"kind": ["name"]}}` or
    /// `{"hidden": code}`.
    ///
    /// # Panics
    ///
    /// If `question` is no question.
    pub fn ask<S: ToolStep>(&self, question: Value) -> Result<Outcome, Fault> {
        written(question).ask::<S>(self)
    }
}

/// A question as [`Fixture::ask`] reads it.
///
/// ```
/// let question = loadout_sdk::testing::question(serde_json::json!({ "step": "cap", "tool": "macros", "stage": 20 }));
/// assert_eq!(question.stage, loadout_sdk::Stage::PreOperation);
/// ```
///
/// # Panics
///
/// If `question` is no question.
pub fn question(question: Value) -> Question {
    written(question).into_question().0
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenQuestion {
    step: String,
    tool: String,
    stage: u32,
    #[serde(default)]
    settings: Map<String, Value>,
    #[serde(default)]
    configuration: Map<String, Value>,
    decision: Option<WrittenDecision>,
    rule: Option<String>,
    degraded: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenDecision {
    shown: Option<Map<String, Value>>,
    #[serde(default)]
    items: Map<String, Value>,
    hidden: Option<String>,
}

fn written(question: Value) -> WrittenQuestion {
    serde_json::from_value(question).unwrap_or_else(|error| panic!("this is no question: {error}"))
}

impl WrittenQuestion {
    fn ask<S: ToolStep>(self, fixture: &Fixture) -> Result<Outcome, Fault> {
        let (question, configuration) = self.into_question();
        crate::tool_step::execute::<S>(&fixture.session(), &question, &configuration)
    }

    /// The question, and the configuration that comes with it.
    fn into_question(self) -> (Question, String) {
        let stage = Stage::try_from(self.stage).unwrap_or_else(|fault| panic!("this is no question: {fault}"));
        let properties = [("rule", self.rule), ("degraded", self.degraded)];
        let known = properties.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        let question = Question {
            step: self.step,
            tool: self.tool,
            stage,
            settings: Value::Object(self.settings).to_string(),
            decision: self.decision.map(Into::into),
            properties: known.collect(),
        };
        (question, Value::Object(self.configuration).to_string())
    }
}

impl From<WrittenDecision> for Decision<String> {
    fn from(decision: WrittenDecision) -> Self {
        let WrittenDecision { shown, items, hidden } = decision;
        match (shown, hidden) {
            (None, Some(code)) if items.is_empty() => Self::hidden(code, "The rule hides it."),
            (Some(payload), None) => {
                let shown = Self::shown(Value::Object(payload).to_string());
                items.into_iter().fold(shown, |shown, (kind, names)| {
                    let names: Vec<String> = serde_json::from_value(names)
                        .unwrap_or_else(|error| panic!("this is no question: the items of `{kind}`: {error}"));
                    shown.naming(&kind, names)
                })
            }
            _ => panic!("this is no question: a decision is either `shown`, with `items`, or `hidden`"),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    session: Facts,
    #[serde(default)]
    library: Items,
    question: WrittenQuestion,
    /// `{"proceed": {"patch": {…}, "items": {"kind": ["name"]}}}`, each left out if there is none; `{"hide": code}`; or
    /// `{"fault": code}`. And `"warnings": ["line"]`.
    expect: Value,
}

/// Runs every case of every `.yaml`, `.yml` and `.json` file of a folder: a question, and what a step makes of it.
///
/// ```no_run
/// # use loadout_sdk::tool_step::{Outcome, Question, ToolStep};
/// # use loadout_sdk::{Fault, NoSettings, Session};
/// # struct MyStep;
/// # impl ToolStep for MyStep {
/// #     type Settings = NoSettings;
/// #     fn execute(_: &Session<'_>, _: &Question, _: NoSettings) -> Result<Outcome, Fault> { unreachable!() }
/// # }
/// loadout_sdk::testing::check_tool_step_cases::<MyStep>(concat!(env!("CARGO_MANIFEST_DIR"), "/cases"));
/// ```
///
/// # Panics
///
/// If a case has another outcome than it expects, a file cannot be read as cases, or there are none.
pub fn check_tool_step_cases<S: ToolStep>(folder: impl AsRef<Path>) {
    check(folder.as_ref(), |Case { name, session, library, question, expect }| {
        let ask = |fixture: &Fixture| question.ask::<S>(fixture).map(shown);
        (Scene { name, session, library, expect }, ask)
    });
}

/// An outcome as a case would expect it.
fn shown(outcome: Outcome) -> Value {
    match outcome {
        Outcome::Hide { code, .. } => json!({ "hide": code }),
        Outcome::Proceed(Changes { patch, items }) => {
            let mut changes = json!({});
            if let Some(patch) = patch {
                changes["patch"] = patch;
            }
            if let Some(items) = items {
                changes["items"] = json!({});
                add_items(&mut changes, items);
            }
            json!({ "proceed": changes })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::cases::said;
    use super::*;
    use crate::{NoSettings, Session};

    struct Cap;

    impl ToolStep for Cap {
        type Settings = NoSettings;

        fn execute(session: &Session<'_>, question: &Question, _: NoSettings) -> Result<Outcome, Fault> {
            let Some(name) = session.get("customerName") else {
                session.warn("a stranger");
                return Ok(Outcome::hide("no-customer", "Shown once the customer is known."));
            };
            match question.decision::<Value>()? {
                None => Ok(Outcome::proceed().patch(json!({ "for": name }))),
                Some(Decision::Hidden { .. }) => Ok(Outcome::proceed()),
                Some(Decision::Shown { items, .. }) => Ok(Outcome::proceed().items(items.into_iter().skip(1))),
            }
        }
    }

    #[test]
    fn an_outcome_is_all_of_what_the_step_said() {
        let ada = || Fixture::new().context("customerName", "Ada");
        for (fixture, question, expected) in [
            (Fixture::new(), json!({}), json!({ "hide": "no-customer", "warnings": ["a stranger"] })),
            (ada(), json!({ "configuration": { "a": 1 } }), json!({ "fault": "bad-configuration" })),
            (ada(), json!({}), json!({ "proceed": { "patch": { "for": "Ada" } } })),
            (ada(), json!({ "stage": 40, "decision": { "hidden": "no-macro" } }), json!({ "proceed": {} })),
            (
                ada(),
                json!({ "stage": 40, "decision": { "shown": {}, "items": { "macros": ["a", "b"], "scripts": ["c"] } } }),
                json!({ "proceed": { "items": { "macros": ["b"], "scripts": ["c"] } } }),
            ),
        ] {
            let mut whole = json!({ "step": "cap", "tool": "macros", "stage": 20 });
            whole.as_object_mut().unwrap().extend(question.as_object().unwrap().clone());
            assert_eq!(said(&fixture, fixture.ask::<Cap>(whole).map(shown)), expected);
        }
    }
}
