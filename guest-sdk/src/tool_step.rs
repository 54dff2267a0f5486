//! Plugins with steps around the rules of productivity tools.
//!
//! A step is a type that implements [`ToolStep`], handed to [`export_tool_step!`](crate::export_tool_step). It is given
//! a [`Question`]: the tool, its settings and, after the rule, what was decided. The step lets the decision go on, with
//! other settings or another payload, or hides the tool. A tool that the rule hides stays hidden.
//!
//! ```
//! use loadout_sdk::tool_step::{Outcome, Question, ToolStep};
//! use loadout_sdk::{Fault, NoSettings, Session, export_tool_step};
//!
//! struct Strangers;
//!
//! impl ToolStep for Strangers {
//!     type Settings = NoSettings;
//!
//!     fn execute(session: &Session<'_>, _: &Question, _: NoSettings) -> Result<Outcome, Fault> {
//!         if session.get("customerName").is_none() {
//!             return Ok(Outcome::hide("no-customer", "Shown once the customer is known."));
//!         }
//!         Ok(Outcome::proceed())
//!     }
//! }
//!
//! export_tool_step!(Strangers);
//!
//! // And its test, which needs neither a component nor a host:
//! let question = serde_json::json!({ "step": "withhold", "tool": "macros", "stage": 20 });
//! let outcome = loadout_sdk::testing::Fixture::new().ask::<Strangers>(question).unwrap();
//! assert!(matches!(outcome, Outcome::Hide { code, .. } if code == "no-customer"));
//! ```

mod outcome;
mod question;

pub use outcome::{Changes, Outcome};
pub use question::Question;

use serde::de::DeserializeOwned;

use crate::reading::read;
use crate::{Fault, Session};

/// Steps around rules: one, or several that [`Question::step`] tells from each other.
pub trait ToolStep {
    /// The configuration that an environment may give the step. The settings of the tool are another thing, and are in
    /// the question. Give the type `#[serde(deny_unknown_fields)]`, so that a mistyped key is named and not ignored.
    type Settings: DeserializeOwned;

    /// Looks at a tool for the person and session that `session` describes. Equal questions and reads must get equal
    /// answers.
    fn execute(session: &Session<'_>, question: &Question, settings: Self::Settings) -> Result<Outcome, Fault>;
}

/// Reads the configuration and asks the step.
pub(crate) fn execute<S: ToolStep>(
    session: &Session<'_>,
    question: &Question,
    configuration: &str,
) -> Result<Outcome, Fault> {
    S::execute(session, question, read(configuration, "configuration", "bad-configuration")?)
}

/// Makes a type that implements [`ToolStep`] the steps of the component. Use it once per plugin.
///
/// Outside of a component, as in tests, it only checks that the type implements [`ToolStep`].
#[macro_export]
macro_rules! export_tool_step {
    ($step:ty) => {
        #[cfg(not(target_arch = "wasm32"))]
        const _: () = {
            let _ = <$step as $crate::tool_step::ToolStep>::execute;
        };
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Evaluator = $crate::bindings::tool_step::Exported<$step>;
    $crate::bindings::tool_step::export_evaluation_step!(Evaluator with_types_in $crate::bindings::tool_step);
        };
    };
}
