//! The world `tool-step` of `loadout:plugin@0.1`: questions in, what steps want different out. Its imports are those of
//! the world `tool`.

use serde_json::Value;
use wasmtime::Store;
use wasmtime::component::{Component, Linker};

use crate::plugin::worlds::amendment::{Question, StepProposal};
use crate::resolve::{Decision, ItemReference};

use super::State;

mod generated {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "tool-step",
        with: {
            "loadout:plugin/context@0.1.0": crate::plugin::worlds::v0_1::generated::loadout::plugin::context,
            "loadout:plugin/library@0.1.0": crate::plugin::worlds::v0_1::generated::loadout::plugin::library,
            "loadout:plugin/records@0.1.0": crate::plugin::worlds::v0_1::generated::loadout::plugin::records,
            "loadout:plugin/knowledge@0.1.0": crate::plugin::worlds::v0_1::generated::loadout::plugin::knowledge,
            "loadout:plugin/http@0.1.0": crate::plugin::worlds::v0_1::generated::loadout::plugin::http,
            "loadout:plugin/trace@0.1.0": crate::plugin::worlds::v0_1::generated::loadout::plugin::trace,
        },
    });
}

use generated::exports::loadout::plugin::evaluation_step as step;

/// A component that is ready to be asked.
pub(in crate::plugin) struct PreparedToolStep(generated::ToolStepPre<State>);

/// An instance of it.
pub(in crate::plugin) struct EvaluatorInstance(generated::ToolStep);

impl PreparedToolStep {
    /// Binds a component to its imports.
    pub(in crate::plugin) fn new(linker: &Linker<State>, component: &Component) -> wasmtime::Result<Self> {
        Ok(Self(generated::ToolStepPre::new(linker.instantiate_pre(component)?)?))
    }

    /// Makes an instance, which runs its start code.
    pub(in crate::plugin) fn instantiate(&self, store: &mut Store<State>) -> wasmtime::Result<EvaluatorInstance> {
        self.0.instantiate(store).map(EvaluatorInstance)
    }
}

impl EvaluatorInstance {
    /// Asks about a tool.
    pub(in crate::plugin) fn execute(
        &self,
        store: &mut Store<State>,
        step: &str,
        configuration: &str,
        question: &Question<'_>,
    ) -> wasmtime::Result<StepProposal> {
        let properties = question.properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let asked = step::Question {
            step: step.to_owned(),
            configuration: configuration.to_owned(),
            tool: question.tool.to_owned(),
            stage: question.stage.into(),
            settings: question.settings.to_owned(),
            decision: question.decision.map(lowered),
            properties: properties.collect(),
        };
        let answer = self.0.loadout_plugin_evaluation_step().call_execute(store, &asked)?;
        Ok(match answer {
            Ok(step::Outcome::Proceed(step::Changes { patch, items })) => {
                let raised = |it: step::ItemReference| ItemReference { kind: it.kind, name: it.unique_name };
                StepProposal::Proceed { patch, items: items.map(|items| items.into_iter().map(raised).collect()) }
            }
            Ok(step::Outcome::Hide(step::Reason { code, text })) => StepProposal::Hide { code, text },
            Err(step::Fault { code, message }) => StepProposal::Fault { code, message },
        })
    }
}

fn lowered(decision: &Decision) -> step::Decision {
    match decision {
        Decision::Shown { payload, items } => step::Decision::Shown(step::Presentation {
            payload: Value::Object(payload.clone()).to_string(),
            items: items
                .iter()
                .map(|it| step::ItemReference { kind: it.kind.clone(), unique_name: it.name.clone() })
                .collect(),
        }),
        Decision::Hidden { code, text } => {
            step::Decision::Hidden(step::Reason { code: code.clone(), text: text.clone() })
        }
    }
}
