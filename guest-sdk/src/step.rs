//! Plugins with steps in changes of configuration.
//!
//! A step is a type that implements [`Step`], handed to [`export_step!`](crate::export_step). It is given an [`Event`]:
//! what changes, item by item. The step lets the change go on, with patches and with values shared with later steps, or
//! rejects it. It cannot write, and has no clock.
//!
//! ```
//! use loadout_sdk::step::{Event, Outcome, Step};
//! use loadout_sdk::{Fault, Host, export_step};
//!
//! struct Purpose;
//!
//! #[derive(serde::Deserialize)]
//! #[serde(deny_unknown_fields, default)]
//! struct Settings { shortest: usize }
//!
//! impl Default for Settings {
//!     fn default() -> Self { Self { shortest: 10 } }
//! }
//!
//! #[derive(serde::Deserialize)]
//! struct Profile { description: Option<String> }
//!
//! impl Step for Purpose {
//!     type Settings = Settings;
//!
//!     fn execute(_: &Host<'_>, event: &Event, settings: Settings) -> Result<Outcome, Fault> {
//!         for target in event.targets.iter().filter(|target| target.changes("description")) {
//!             let description = target.values::<Profile>()?.description.unwrap_or_default();
//!             if description.chars().count() < settings.shortest {
//!                 return Ok(Outcome::reject("no-purpose", "Say what the profile is for.").at("description"));
//!             }
//!         }
//!         Ok(Outcome::proceed())
//!     }
//! }
//!
//! export_step!(Purpose);
//!
//! // And its test, which needs neither a component nor a host:
//! let event = serde_json::json!({
//!     "step": "guard", "message": "profile.update", "stage": 20,
//!     "targets": [{ "kind": "profiles", "uniqueName": "contoso_rep", "values": { "description": "desk" } }],
//! });
//! let outcome = loadout_sdk::testing::Fixture::new().execute::<Purpose>(event).unwrap();
//! assert!(matches!(outcome, Outcome::Reject(rejection) if rejection.attribute == "description"));
//! ```

mod event;
mod outcome;

pub use event::{Event, Target};
pub use outcome::{Outcome, Proposal, Rejection};

use serde::de::DeserializeOwned;

use crate::reading::read;
use crate::{Fault, Host};

/// Steps in changes of configuration: one, or several that [`Event::step`] tells from each other.
pub trait Step {
    /// The configuration that an environment may give the step. Give the type `#[serde(deny_unknown_fields)]`, so that
    /// a mistyped key is named and not ignored.
    type Settings: DeserializeOwned;

    /// Looks at a change. An asynchronous step may be asked about the same event again.
    fn execute(host: &Host<'_>, event: &Event, settings: Self::Settings) -> Result<Outcome, Fault>;
}

/// Reads the configuration and asks the step.
pub(crate) fn execute<S: Step>(host: &Host<'_>, event: &Event, configuration: &str) -> Result<Outcome, Fault> {
    S::execute(host, event, read(configuration, "configuration", "bad-configuration")?)
}

/// Makes a type that implements [`Step`] the steps of the component. Use it once per plugin.
///
/// Outside of a component, as in tests, it only checks that the type implements [`Step`].
#[macro_export]
macro_rules! export_step {
    ($step:ty) => {
        #[cfg(not(target_arch = "wasm32"))]
        const _: () = {
            let _ = <$step as $crate::step::Step>::execute;
        };
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Handler = $crate::bindings::step::Exported<$step>;
    $crate::bindings::step::export_configuration_step!(Handler with_types_in $crate::bindings::step);
        };
    };
}
