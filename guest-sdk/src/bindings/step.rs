//! The world `step`, and the bridge between it and the types authors see.

use std::marker::PhantomData;

use self::exports::loadout::plugin::configuration_step as step;
use super::Imports;
use crate::step::{Event, Outcome, Proposal, Rejection, Step, Target};
use crate::{Fault, Host};

wit_bindgen::generate!({
    path: "../wit",
    world: "loadout:plugin/step",
    pub_export_macro: true,
    export_macro_name: "export_configuration_step",
    default_bindings_module: "loadout_sdk::bindings::step",
    with: {
        "loadout:plugin/library@0.1.0": super::tool::loadout::plugin::library,
        "loadout:plugin/records@0.1.0": super::tool::loadout::plugin::records,
        "loadout:plugin/knowledge@0.1.0": super::tool::loadout::plugin::knowledge,
        "loadout:plugin/http@0.1.0": super::tool::loadout::plugin::http,
        "loadout:plugin/trace@0.1.0": super::tool::loadout::plugin::trace,
    },
});

/// Steps as the world `step` exports them.
pub struct Exported<T>(PhantomData<T>);

impl<T: Step> step::Guest for Exported<T> {
    fn execute(event: step::Event) -> Result<step::Outcome, step::Fault> {
        let (event, configuration) = raised(event)?;
        let outcome = crate::step::execute::<T>(&Host::new(&Imports), &event, &configuration);
        outcome.map(Into::into).map_err(Into::into)
    }
}

/// The event, and the configuration that comes with it.
fn raised(event: step::Event) -> Result<(Event, String), Fault> {
    let step::Event { id, step, message, stage, attempt, targets, configuration, shared, properties } = event;
    let targets = targets.into_iter().map(Into::into).collect();
    let stage = stage.try_into()?;
    Ok((Event { id, step, message, stage, attempt, targets, shared, properties }, configuration))
}

impl From<step::Target> for Target {
    fn from(target: step::Target) -> Self {
        let step::Target { kind, unique_name, changed, values, images } = target;
        Self { kind, unique_name, changed, values, images }
    }
}

impl From<Outcome> for step::Outcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Reject(Rejection { code, message, attribute }) => {
                Self::Reject(step::Rejection { code, message, attribute })
            }
            Outcome::Proceed(Proposal { patches, shared }) => {
                // A position that no list has is refused by the host, by its number.
                let target = |position: usize| u32::try_from(position).unwrap_or(u32::MAX);
                let patches = patches.into_iter().map(|(position, patch)| (target(position), patch.to_string()));
                let shared = shared.into_iter().map(|(key, value)| (key, value.to_string()));
                Self::Proceed(step::Proposal { patches: patches.collect(), shared: shared.collect() })
            }
        }
    }
}

impl From<Fault> for step::Fault {
    fn from(fault: Fault) -> Self {
        let retry_after = fault.seconds();
        Self { code: fault.code().to_owned(), message: fault.message().to_owned(), retry_after }
    }
}
