//! The world `tool-step`, and the bridge between it and the types authors see.

use std::marker::PhantomData;

use self::exports::loadout::plugin::evaluation_step as step;
use super::Imports;
use crate::tool_step::{Changes, Outcome, Question, ToolStep};
use crate::{Decision, Fault, ItemReference, Session};

wit_bindgen::generate!({
    path: "../wit",
    world: "loadout:plugin/tool-step",
    pub_export_macro: true,
    export_macro_name: "export_evaluation_step",
    default_bindings_module: "loadout_sdk::bindings::tool_step",
    with: {
        "loadout:plugin/context@0.1.0": super::tool::loadout::plugin::context,
        "loadout:plugin/library@0.1.0": super::tool::loadout::plugin::library,
        "loadout:plugin/records@0.1.0": super::tool::loadout::plugin::records,
        "loadout:plugin/knowledge@0.1.0": super::tool::loadout::plugin::knowledge,
        "loadout:plugin/http@0.1.0": super::tool::loadout::plugin::http,
        "loadout:plugin/trace@0.1.0": super::tool::loadout::plugin::trace,
    },
});

/// Steps as the world `tool-step` exports them.
pub struct Exported<T>(PhantomData<T>);

impl<T: ToolStep> step::Guest for Exported<T> {
    fn execute(question: step::Question) -> Result<step::Outcome, step::Fault> {
        let (question, configuration) = raised(question)?;
        let outcome = crate::tool_step::execute::<T>(&Session::new(&Imports), &question, &configuration);
        outcome.map(Into::into).map_err(Into::into)
    }
}

/// The question, and the configuration that comes with it.
fn raised(question: step::Question) -> Result<(Question, String), Fault> {
    let step::Question { step, configuration, tool, stage, settings, decision, properties } = question;
    let stage = stage.try_into()?;
    let decision = decision.map(Into::into);
    Ok((Question { step, tool, stage, settings, decision, properties }, configuration))
}

impl From<step::Decision> for Decision<String> {
    fn from(decision: step::Decision) -> Self {
        match decision {
            step::Decision::Hidden(step::Reason { code, text }) => Self::Hidden { code, text },
            step::Decision::Shown(step::Presentation { payload, items }) => {
                let items = items.into_iter();
                let items = items.map(|it| ItemReference { kind: it.kind, unique_name: it.unique_name });
                Self::Shown { payload, items: items.collect() }
            }
        }
    }
}

impl From<Outcome> for step::Outcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Hide { code, text } => Self::Hide(step::Reason { code, text }),
            Outcome::Proceed(Changes { patch, items }) => {
                let lowered = |it: ItemReference| step::ItemReference { kind: it.kind, unique_name: it.unique_name };
                let items = items.map(|items| items.into_iter().map(lowered).collect());
                Self::Proceed(step::Changes { patch: patch.map(|patch| patch.to_string()), items })
            }
        }
    }
}

lower_faults!(step::Fault);
