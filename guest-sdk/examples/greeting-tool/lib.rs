//! The smallest complete plugin: greets the customer of a conversation by name.
//!
//! Copy this folder, give it a `Cargo.toml` with `crate-type = ["cdylib"]`, and change the rule.

use loadout_sdk::{Decision, Fault, Session, Tool, export_tool};
use serde::{Deserialize, Serialize};

struct Greeting;

/// What a profile may set.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Settings {
    /// The words, with slugs.
    words: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self { words: "Good day, {customerName}.".to_owned() }
    }
}

/// The payload for the control.
#[derive(Serialize)]
struct Payload {
    greeting: String,
}

impl Tool for Greeting {
    type Settings = Settings;
    type Payload = Payload;

    fn evaluate(session: &Session<'_>, settings: Settings) -> Result<Decision<Payload>, Fault> {
        let rendered = session.render(&settings.words);
        if !rendered.unresolved.is_empty() {
            return Ok(Decision::hidden("no-customer", "Shown once everything the greeting names is known."));
        }
        Ok(Decision::shown(Payload { greeting: rendered.text }))
    }
}

export_tool!(Greeting);

#[cfg(test)]
mod tests {
    use super::*;
    use loadout_sdk::testing::Fixture;
    use serde_json::json;

    #[test]
    fn a_known_customer_is_greeted() {
        let fixture = Fixture::new().context("customerName", "Ada");
        let decision = fixture.evaluate::<Greeting>(json!({ "words": "Hello {customerName}" })).unwrap();
        assert_eq!(decision.payload(), Some(&json!({ "greeting": "Hello Ada" })));
    }

    #[test]
    fn without_a_name_there_is_no_greeting() {
        let decision = Fixture::new().evaluate::<Greeting>(json!({})).unwrap();
        assert!(matches!(decision, Decision::Hidden { code, .. } if code == "no-customer"));
    }
}
