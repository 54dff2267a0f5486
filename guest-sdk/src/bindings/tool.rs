//! The world `tool`, and the bridge between it and the types authors see.

use std::marker::PhantomData;

use self::exports::loadout::plugin::tool_rule as rule;
use super::Imports;
use crate::{Decision, Session, Tool};

wit_bindgen::generate!({
    path: "../wit",
    world: "loadout:plugin/tool",
    pub_export_macro: true,
    export_macro_name: "export_tool_rule",
    default_bindings_module: "loadout_sdk::bindings::tool",
});

/// A tool as the world `tool` exports it.
pub struct Exported<T>(PhantomData<T>);

impl<T: Tool> rule::Guest for Exported<T> {
    fn evaluate(settings: String) -> Result<rule::Decision, rule::Fault> {
        let decision = crate::tool::evaluate::<T>(&Session::new(&Imports), &settings);
        decision.map(Into::into).map_err(Into::into)
    }
}

impl From<Decision<String>> for rule::Decision {
    fn from(decision: Decision<String>) -> Self {
        match decision {
            Decision::Hidden { code, text } => Self::Hidden(rule::Reason { code, text }),
            Decision::Shown { payload, items } => {
                let items = items.into_iter();
                let items = items.map(|it| rule::ItemReference { kind: it.kind, unique_name: it.unique_name });
                Self::Shown(rule::Presentation { payload, items: items.collect() })
            }
        }
    }
}

lower_faults!(rule::Fault);
