//! What the guests share: the bindings of the world `tool`, and a macro that turns a function into a rule.
//!
//! Written against the bare bindings and not the SDK, so that a guest can do what the SDK would not let it.
#![expect(missing_docs, reason = "the documentation of the bindings is in the WIT files")]

wit_bindgen::generate!({
    path: "../../wit",
    world: "tool",
    pub_export_macro: true,
    export_macro_name: "export_tool",
    default_bindings_module: "loadout_test_guests",
});

pub use exports::loadout::plugin::tool_rule::{Decision, Fault, Guest, ItemReference, Presentation, Reason};
pub use loadout::plugin::{context, library, records, trace};

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
        // Elsewhere the names of exports mean something to the linker, and nobody loads a guest.
        #[cfg(not(target_arch = "wasm32"))]
        const _: fn(String) -> $crate::Answer = <Rule as $crate::Guest>::evaluate;
    };
}
