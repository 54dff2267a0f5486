//! The question to a step around a rule, as a case writes it.
//!
//! Refuses a question the step would never be asked, by what its manifest says.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::domain::message::Stage;
use crate::plugin::{About, AskedStep, ToolStepDeclaration};
use crate::resolve::{Decision, ItemReference};

/// A question, key by key.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QuestionCase {
    /// The step that is called.
    pub step: String,
    /// The tool kind.
    pub tool: String,
    /// 20 or 40.
    pub stage: u32,
    /// The settings of the tool.
    #[serde(default)]
    pub settings: Map<String, Value>,
    /// The configuration of the step.
    #[serde(default)]
    pub configuration: Map<String, Value>,
    /// In stage 40, the decision of the rule.
    #[serde(default)]
    pub decision: Option<DecisionCase>,
    /// The rule that decided.
    #[serde(default)]
    pub rule: Option<String>,
    /// The policy that stood in for a rule that broke.
    #[serde(default)]
    pub degraded: Option<String>,
}

/// A decision: `shown`, with `items` by kind, or `hidden`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionCase {
    /// The payload.
    #[serde(default)]
    pub shown: Option<Map<String, Value>>,
    /// The items the payload names.
    #[serde(default)]
    pub items: BTreeMap<String, Vec<String>>,
    /// The code of the reason.
    #[serde(default)]
    pub hidden: Option<String>,
}

impl QuestionCase {
    /// Returns the step and the question for it. Refuses a question that none of `steps` is ever asked.
    pub(super) fn asked(&self, steps: &[ToolStepDeclaration]) -> Result<AskedStep, String> {
        let Self { step: name, tool, stage, .. } = self;
        let Some(step) = steps.iter().find(|step| step.name == *name) else {
            let names: Vec<&str> = steps.iter().map(|step| step.name.as_str()).collect();
            return Err(format!("the manifest has no step `{name}`, it has `{}`", names.join("`, `")));
        };
        if !step.resources.contains(tool) {
            return Err(format!("step `{name}` is asked about `{}`, not about `{tool}`", step.resources.join("`, `")));
        }
        if u32::from(step.stage) != *stage {
            return Err(format!("step `{name}` is asked in stage {}, not in {stage}", u32::from(step.stage)));
        }
        match (step.stage, &self.decision) {
            (Stage::PostOperation, None) => {
                return Err("it has no `decision`, and in stage 40 the rule has decided".to_owned());
            }
            (Stage::PreValidation | Stage::PreOperation, Some(_)) => {
                return Err("it has a `decision`, and in stage 20 the rule was not asked yet".to_owned());
            }
            _ => {}
        }
        let properties = [("rule", &self.rule), ("degraded", &self.degraded)];
        let known = properties.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
        let decision = self.decision.as_ref().map(DecisionCase::decision).transpose()?;
        let about = About::Tool { stage: step.stage, decision, properties: known.collect() };
        Ok(AskedStep { name: name.clone(), configuration: self.configuration.clone(), about })
    }
}

impl DecisionCase {
    fn decision(&self) -> Result<Decision, String> {
        match self {
            Self { shown: None, items, hidden: Some(code) } if items.is_empty() => {
                Ok(Decision::Hidden { code: code.clone(), text: "The rule hides it.".to_owned() })
            }
            Self { shown: Some(payload), items, hidden: None } => {
                let of = |(kind, names): (&String, &Vec<String>)| -> Vec<ItemReference> {
                    names.iter().map(|name| ItemReference { kind: kind.clone(), name: name.clone() }).collect()
                };
                Ok(Decision::Shown { payload: payload.clone(), items: items.iter().flat_map(of).collect() })
            }
            _ => Err("a decision is either `shown`, with `items`, or `hidden`".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plugin::{Manifest, Provides};

    const MANIFEST: &str = r#"
        [plugin]
        publisher = "contoso"
        name = "guard"
        version = "1.0.0"
        world = "loadout:plugin/tool-step@0.1.0"
        description = "Nobody writes for a stranger."
        [[steps]]
        name = "strangers"
        message = "tool.evaluate"
        resource = ["macros", "scripts"]
        stage = 40
        rank = 5
        [[steps]]
        name = "cap"
        message = "tool.evaluate"
        resource = "macros"
        stage = 20
        rank = 5
    "#;

    fn said(question: Value) -> String {
        let Provides::ToolSteps { steps } = Manifest::parse(MANIFEST).unwrap().provides else { unreachable!() };
        let question: QuestionCase = serde_json::from_value(question).unwrap();
        question.asked(&steps).map_or_else(|reason| reason, |asked| json!(asked.about).to_string())
    }

    #[test]
    fn what_the_step_is_never_asked_is_refused() {
        let after =
            |decision: Value| json!({ "step": "strangers", "tool": "macros", "stage": 40, "decision": decision });
        for (question, expected) in [
            (
                after(json!({ "shown": { "a": 1 }, "items": { "macros": ["x"] } })),
                r#"{"kind":"tool","stage":40,"decision":{"status":"shown","payload":{"a":1},"items":[{"kind":"macros","name":"x"}]},"properties":[]}"#,
            ),
            (
                json!({ "step": "cap", "tool": "macros", "stage": 20, "rule": "contoso/macros 1.0.0" }),
                r#"{"kind":"tool","stage":20,"decision":null,"properties":[["rule","contoso/macros 1.0.0"]]}"#,
            ),
            (
                json!({ "step": "cup", "tool": "macros", "stage": 20 }),
                "the manifest has no step `cup`, it has `strangers`, `cap`",
            ),
            (
                json!({ "step": "strangers", "tool": "smart-assist", "stage": 40 }),
                "step `strangers` is asked about `macros`, `scripts`, not about `smart-assist`",
            ),
            (json!({ "step": "cap", "tool": "macros", "stage": 40 }), "step `cap` is asked in stage 20, not in 40"),
            (
                json!({ "step": "cap", "tool": "macros", "stage": 20, "decision": { "hidden": "no-macro" } }),
                "it has a `decision`, and in stage 20 the rule was not asked yet",
            ),
            (
                json!({ "step": "strangers", "tool": "macros", "stage": 40 }),
                "it has no `decision`, and in stage 40 the rule has decided",
            ),
            (
                after(json!({ "shown": {}, "hidden": "no-macro" })),
                "a decision is either `shown`, with `items`, or `hidden`",
            ),
            (after(json!({})), "a decision is either `shown`, with `items`, or `hidden`"),
        ] {
            assert_eq!(said(question), expected);
        }
    }
}
