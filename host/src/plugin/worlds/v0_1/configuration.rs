//! The world `step` of `loadout:plugin@0.1`: events in, outcomes out. Its imports are those of the world `tool`.

use serde_json::Value;
use wasmtime::Store;
use wasmtime::component::{Component, Linker};

use crate::pipeline::{Event, Outcome, Proposal, Rejection, Target};
use crate::plugin::limits::call_error::CallError;
use crate::plugin::limits::call_error::invalid;
use crate::plugin::limits::invalid::quote;
use crate::plugin::worlds::decision::code;

use super::State;

mod generated {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "step",
        with: {
            "loadout:plugin/library@0.1.0": crate::plugin::worlds::v0_1::generated::loadout::plugin::library,
            "loadout:plugin/records@0.1.0": crate::plugin::worlds::v0_1::generated::loadout::plugin::records,
            "loadout:plugin/knowledge@0.1.0": crate::plugin::worlds::v0_1::generated::loadout::plugin::knowledge,
            "loadout:plugin/http@0.1.0": crate::plugin::worlds::v0_1::generated::loadout::plugin::http,
            "loadout:plugin/trace@0.1.0": crate::plugin::worlds::v0_1::generated::loadout::plugin::trace,
        },
    });
}

use generated::exports::loadout::plugin::configuration_step as step;

/// A component that is ready to be asked.
pub(in crate::plugin) struct PreparedConfigurationStep(generated::StepPre<State>);

/// An instance of it.
pub(in crate::plugin) struct HandlerInstance(generated::Step);

/// What a configuration step answers, or how it broke and after how many seconds it would like to be asked again.
type Said = Result<Outcome, (CallError, Option<u32>)>;

impl PreparedConfigurationStep {
    /// Binds a component to its imports.
    pub(in crate::plugin) fn new(linker: &Linker<State>, component: &Component) -> wasmtime::Result<Self> {
        Ok(Self(generated::StepPre::new(linker.instantiate_pre(component)?)?))
    }

    /// Makes an instance, which runs its start code.
    pub(in crate::plugin) fn instantiate(&self, store: &mut Store<State>) -> wasmtime::Result<HandlerInstance> {
        self.0.instantiate(store).map(HandlerInstance)
    }
}

impl HandlerInstance {
    /// Asks about an event.
    pub(in crate::plugin) fn execute(
        &self,
        store: &mut Store<State>,
        step: &str,
        configuration: &str,
        event: &Event,
    ) -> wasmtime::Result<Said> {
        let event = step::Event {
            id: event.id.clone(),
            step: step.to_owned(),
            message: event.message.clone(),
            stage: event.stage,
            attempt: event.attempt,
            targets: event.targets.iter().cloned().map(target).collect(),
            configuration: configuration.to_owned(),
            shared: event.shared.clone().into_iter().collect(),
            properties: event.properties.clone(),
        };
        let answer = self.0.loadout_plugin_configuration_step().call_execute(store, &event)?;
        Ok(match answer {
            Ok(step::Outcome::Proceed(proposal)) => proceed(proposal),
            Ok(step::Outcome::Reject(rejection)) => reject(rejection),
            Err(fault) => Err(failed(fault)),
        })
    }
}

fn target(target: Target) -> step::Target {
    let Target { kind, name, changed, values, images } = target;
    step::Target { kind, unique_name: name, changed, values, images }
}

fn proceed(proposal: step::Proposal) -> Said {
    let patch = |(target, json): (u32, String)| {
        let patch = serde_json::from_str::<Value>(&json);
        let patch = patch.map_err(|error| invalid(format!("its patch of target {target} is no JSON: {error}")))?;
        Ok((usize::try_from(target).unwrap_or(usize::MAX), patch))
    };
    let patches = proposal.patches.into_iter().map(patch).collect::<Result<_, _>>()?;
    Ok(Outcome::Proceed(Proposal { patches, shared: proposal.shared }))
}

fn reject(rejection: step::Rejection) -> Said {
    code("rejection", &rejection.code).map_err(|error| (error.into(), None))?;
    if rejection.message.trim().is_empty() {
        return Err(invalid("its rejection says nothing"));
    }
    let (message, attribute) = (quote(&rejection.message), quote(&rejection.attribute));
    Ok(Outcome::Reject(Rejection { code: rejection.code, message, attribute }))
}

fn failed(fault: step::Fault) -> (CallError, Option<u32>) {
    (CallError::Failed { code: quote(&fault.code), message: quote(&fault.message) }, fault.retry_after)
}
