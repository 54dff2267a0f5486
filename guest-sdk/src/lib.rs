//! The SDK for plugins of Loadout.
//!
//! A plugin decides about one kind of productivity tool: is it shown to this person in this session, and with what? It
//! is a type that implements [`Tool`], handed to [`export_tool!`]. Plugins of other worlds have a trait and a macro
//! each: [`tool_step`] around such a rule, [`step`] in changes of configuration, [`upgrade`] for old environments. A
//! plugin reads through the [`Session`] or the [`Host`]; the host records every read. It cannot write, and has no clock
//! and no files; outside of the host it reaches only what an administrator granted.
//!
//! ```
//! use loadout_sdk::{Decision, Fault, NoSettings, Session, Tool, export_tool};
//!
//! struct Greeting;
//!
//! impl Tool for Greeting {
//!     type Settings = NoSettings;
//!     type Payload = serde_json::Value;
//!
//!     fn evaluate(session: &Session<'_>, _: NoSettings) -> Result<Decision<Self::Payload>, Fault> {
//!         let Some(name) = session.get("customerName") else {
//!             return Ok(Decision::hidden("no-customer", "Shown once the customer is known."));
//!         };
//!         Ok(Decision::shown(serde_json::json!({ "greeting": format!("Good day, {name}.") })))
//!     }
//! }
//!
//! export_tool!(Greeting);
//!
//! // And its test, which needs neither a component nor a host:
//! let fixture = loadout_sdk::testing::Fixture::new().context("customerName", "Ada");
//! let decision = fixture.evaluate::<Greeting>(serde_json::json!({})).unwrap();
//! assert_eq!(decision.payload().unwrap()["greeting"], "Good day, Ada.");
//! ```
//!
//! The contract in `wit/` is all that this crate shares with the host.

#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod bindings;
mod date;
mod decision;
mod fault;
mod found;
mod host;
mod knowledge;
mod library;
mod outside;
mod query;
mod reading;
mod records;
pub mod script;
mod session;
mod source;
mod stage;
pub mod step;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
mod text;
mod tool;
pub mod tool_step;
pub mod upgrade;

pub use date::{Date, InvalidDate};
pub use decision::{Decision, ItemReference};
pub use fault::{Fault, Refusal};
pub use found::Found;
pub use host::Host;
pub use knowledge::Knowledge;
pub use library::Library;
pub use loadout_workflow as workflow;
pub use outside::{Article, HeaderValue, HttpRequest, HttpResponse};
pub use query::{Filter, Literal, Operator, Query, TextOperator};
pub use records::Records;
pub use schemars;
pub use session::{CONVERSATION, Session};
pub use source::{Level, Rendered};
pub use stage::Stage;
pub use text::Localized;
pub use tool::{NoSettings, Tool};

/// Makes a type that implements [`Tool`] the rule of the component. Use it once per plugin.
///
/// Outside of a component, as in tests, it only checks that the type implements [`Tool`].
#[macro_export]
macro_rules! export_tool {
    ($tool:ty) => {
        #[cfg(not(target_arch = "wasm32"))]
        const _: () = {
            let _ = <$tool as $crate::Tool>::evaluate;
        };
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Rule = $crate::bindings::tool::Exported<$tool>;
    $crate::bindings::tool::export_tool_rule!(Rule with_types_in $crate::bindings::tool);
        };
    };
}
