//! Promises that a component keeps for every user.

use serde_json::Value;

use super::super::cases::said;
use super::super::tool::shown;
use super::super::{AnyUser, DrawnUser};
use super::{Component, Outcome};
use crate::Tool;

impl Component {
    /// Holds a component to a promise.
    ///
    /// # Panics
    ///
    /// As [`AnyUser::check`] does, and if a question cannot be asked.
    ///
    /// ```no_run
    /// use loadout_sdk::testing::{AnyUser, Component};
    /// # fn main() -> Result<(), loadout_sdk::testing::HarnessError> {
    /// let component = Component::open("target/greeter.wasm")?;
    /// component.for_any_user(&AnyUser::of_cases("cases"), |_, outcome| match outcome.is_fault() {
    ///     true => Err("nobody gets a fault".to_owned()),
    ///     false => Ok(()),
    /// });
    /// # Ok(())
    /// # }
    /// ```
    pub fn for_any_user(&self, any: &AnyUser, promise: impl Fn(&DrawnUser, &Outcome) -> Result<(), String>) {
        any.run(|user| {
            let outcome = self.ask_about(&user.question()).map_err(|error| error.to_string())?;
            promise(user, &outcome)
        });
    }

    /// Checks that the sandbox ends no call: for every user, the component neither traps nor exceeds a limit.
    ///
    /// # Panics
    ///
    /// As [`AnyUser::check`] does, and if a question cannot be asked.
    ///
    /// ```no_run
    /// use loadout_sdk::testing::{AnyUser, Component};
    /// # fn main() -> Result<(), loadout_sdk::testing::HarnessError> {
    /// Component::open("target/greeter.wasm")?.never_breaks(&AnyUser::of_cases("cases"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn never_breaks(&self, any: &AnyUser) {
        self.for_any_user(any, |_, outcome| match &outcome.because {
            Some(because) if outcome.is_broken() => Err(because.clone()),
            _ => Ok(()),
        });
    }

    /// Checks that the component decides for every user as its rule does natively.
    ///
    /// # Panics
    ///
    /// As [`AnyUser::check`] does, and if a question cannot be asked.
    ///
    /// ```no_run
    /// use loadout_sdk::testing::{AnyUser, Component};
    /// # use loadout_sdk::{Decision, Fault, NoSettings, Session, Tool};
    /// # struct Greeting;
    /// # impl Tool for Greeting {
    /// #     type Settings = NoSettings;
    /// #     type Payload = serde_json::Value;
    /// #     fn evaluate(session: &Session<'_>, _: NoSettings) -> Result<Decision<Self::Payload>, Fault> {
    /// #         Ok(match session.get("customerName") {
    /// #             Some(name) => Decision::shown(serde_json::json!({ "greeting": name })),
    /// #             None => Decision::hidden("no-customer", "Shown once the customer is known."),
    /// #         })
    /// #     }
    /// # }
    /// # fn main() -> Result<(), loadout_sdk::testing::HarnessError> {
    /// Component::open("target/greeter.wasm")?.agrees_with::<Greeting>(&AnyUser::of_cases("cases"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn agrees_with<T: Tool>(&self, any: &AnyUser) {
        self.for_any_user(any, |user, outcome| {
            let fixture = user.fixture();
            let natively = said(&fixture, fixture.evaluate::<T>(Value::Object(user.settings.clone())).map(shown));
            if natively == outcome.decision {
                return Ok(());
            }
            Err(format!(
                "the rule and its component disagree\n  natively   {natively}\n  component  {}",
                outcome.decision
            ))
        });
    }
}
