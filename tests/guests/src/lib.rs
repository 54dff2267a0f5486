//! What the guests share: the bindings of the worlds, and macros that turn a function into a rule or a step.
//!
//! Written against the bare bindings and not the SDK, so that a guest can do what the SDK would not let it. `objects`
//! does nothing of the kind, and is written with the SDK.
#![expect(missing_docs, reason = "the documentation of the bindings is in the WIT files")]

wit_bindgen::generate!({
    path: "../../wit",
    world: "tool",
    pub_export_macro: true,
    export_macro_name: "export_tool",
    default_bindings_module: "loadout_test_guests",
});

pub use exports::loadout::plugin::tool_rule::{Decision, Fault, Guest, ItemReference, Presentation, Reason};
pub use loadout::plugin::{context, http, knowledge, library, records, trace};

/// The bindings of the world `upgrade`.
pub mod upgrade {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "upgrade",
        pub_export_macro: true,
        export_macro_name: "export_upgrade_step",
        default_bindings_module: "loadout_test_guests::upgrade",
        with: {
            "loadout:plugin/library@0.1.0": super::loadout::plugin::library,
            "loadout:plugin/trace@0.1.0": super::loadout::plugin::trace,
        },
    });

    pub use exports::loadout::plugin::upgrade_step::{
        Fault, Guest, Migration, Note, Page, Quarantined, Row, RowReference, Upsert,
    };
}

/// The bindings of the world `step`.
pub mod change {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "step",
        pub_export_macro: true,
        export_macro_name: "export_configuration_step",
        default_bindings_module: "loadout_test_guests::change",
        with: {
            "loadout:plugin/records@0.1.0": super::loadout::plugin::records,
            "loadout:plugin/knowledge@0.1.0": super::loadout::plugin::knowledge,
            "loadout:plugin/http@0.1.0": super::loadout::plugin::http,
            "loadout:plugin/library@0.1.0": super::loadout::plugin::library,
            "loadout:plugin/trace@0.1.0": super::loadout::plugin::trace,
        },
    });

    pub use exports::loadout::plugin::configuration_step::{Event, Fault, Guest, Outcome, Proposal, Rejection, Target};
}

/// The bindings of the world `tool-step`.
pub mod around {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "tool-step",
        pub_export_macro: true,
        export_macro_name: "export_evaluation_step",
        default_bindings_module: "loadout_test_guests::around",
        with: {
            "loadout:plugin/context@0.1.0": super::loadout::plugin::context,
            "loadout:plugin/library@0.1.0": super::loadout::plugin::library,
            "loadout:plugin/records@0.1.0": super::loadout::plugin::records,
            "loadout:plugin/knowledge@0.1.0": super::loadout::plugin::knowledge,
            "loadout:plugin/http@0.1.0": super::loadout::plugin::http,
            "loadout:plugin/trace@0.1.0": super::loadout::plugin::trace,
        },
    });

    pub use exports::loadout::plugin::evaluation_step::{
        Changes, Decision, Fault, Guest, ItemReference, Outcome, Presentation, Question, Reason,
    };
}

/// What a step around a rule answers.
pub type StepProposal = Result<around::Outcome, around::Fault>;

/// What a step in a change answers.
pub type Verdict = Result<change::Outcome, change::Fault>;

/// What a rule answers.
pub type Answer = Result<Decision, Fault>;

/// Shows the tool with `payload`.
pub fn shown(payload: impl Into<String>) -> Answer {
    Ok(Decision::Shown(Presentation { payload: payload.into(), items: Vec::new() }))
}

/// Exports a function from settings to an [`Answer`] as the rule of a component.
#[macro_export]
macro_rules! rule {
    ($rule:expr) => {
        struct Rule;

        impl $crate::Guest for Rule {
            fn evaluate(settings: String) -> $crate::Answer {
                let rule: fn(String) -> $crate::Answer = $rule;
                rule(settings)
            }
        }

        #[cfg(target_arch = "wasm32")]
        $crate::export_tool!(Rule with_types_in $crate);
        // Elsewhere the names of exports mean something to the linker, and no host loads a guest.
        #[cfg(not(target_arch = "wasm32"))]
        const _: fn(String) -> $crate::Answer = <Rule as $crate::Guest>::evaluate;
    };
}

/// Exports a function from a page to a migration as the step of a component.
#[macro_export]
macro_rules! step {
    ($step:expr) => {
        struct Step;

        impl $crate::upgrade::Guest for Step {
            fn check(_: $crate::upgrade::Page) -> Result<Vec<$crate::upgrade::Note>, $crate::upgrade::Fault> {
                Ok(Vec::new())
            }

            fn migrate(page: $crate::upgrade::Page) -> Result<$crate::upgrade::Migration, $crate::upgrade::Fault> {
                let step: fn(
                    $crate::upgrade::Page,
                ) -> Result<$crate::upgrade::Migration, $crate::upgrade::Fault> = $step;
                step(page)
            }
        }

        #[cfg(target_arch = "wasm32")]
        $crate::upgrade::export_upgrade_step!(Step with_types_in $crate::upgrade);
        #[cfg(not(target_arch = "wasm32"))]
        const _: fn($crate::upgrade::Page) -> Result<$crate::upgrade::Migration, $crate::upgrade::Fault> =
            <Step as $crate::upgrade::Guest>::migrate;
    };
}

/// Exports a function from an event to a [`Verdict`] as the steps of a component.
#[macro_export]
macro_rules! handler {
    ($handler:expr) => {
        struct Handler;

        impl $crate::change::Guest for Handler {
            fn execute(event: $crate::change::Event) -> $crate::Verdict {
                let handler: fn($crate::change::Event) -> $crate::Verdict = $handler;
                handler(event)
            }
        }

        #[cfg(target_arch = "wasm32")]
        $crate::change::export_configuration_step!(Handler with_types_in $crate::change);
        #[cfg(not(target_arch = "wasm32"))]
        const _: fn($crate::change::Event) -> $crate::Verdict = <Handler as $crate::change::Guest>::execute;
    };
}

/// Exports a function from a question to a [`StepProposal`] as the steps around rules of a component.
#[macro_export]
macro_rules! around {
    ($step:expr) => {
        struct Around;

        impl $crate::around::Guest for Around {
            fn execute(question: $crate::around::Question) -> $crate::StepProposal {
                let step: fn($crate::around::Question) -> $crate::StepProposal = $step;
                step(question)
            }
        }

        #[cfg(target_arch = "wasm32")]
        $crate::around::export_evaluation_step!(Around with_types_in $crate::around);
        #[cfg(not(target_arch = "wasm32"))]
        const _: fn($crate::around::Question) -> $crate::StepProposal = <Around as $crate::around::Guest>::execute;
    };
}
