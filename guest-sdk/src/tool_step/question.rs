//! The question to a step around a rule.

use serde::de::DeserializeOwned;

use crate::reading::read;
use crate::{Decision, Fault, Stage};

/// The question to a step around a rule: the tool before the rule is asked, or the decision after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The step that is asked, by its name in the manifest.
    pub step: String,
    /// The kind of tool, such as `macros`.
    pub tool: String,
    /// Before the rule is asked, or after it answered.
    pub stage: Stage,
    pub(crate) settings: String,
    /// With the payload as JSON.
    pub(crate) decision: Option<Decision<String>>,
    pub(crate) properties: Vec<(String, String)>,
}

impl Question {
    /// Returns the settings of the tool, with as many keys as `T` has: before the rule as profile and earlier steps
    /// give them, after it as the rule was given them. Settings that do not fit are the fault `bad-settings`.
    ///
    /// ```
    /// # use loadout_sdk::testing::question;
    /// let question = question(serde_json::json!({ "step": "cap", "tool": "macros", "stage": 20, "settings": { "most": 3 } }));
    /// assert_eq!(question.settings::<serde_json::Value>()?["most"], 3);
    /// # Ok::<(), loadout_sdk::Fault>(())
    /// ```
    pub fn settings<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        read(&self.settings, "settings", "bad-settings")
    }

    /// Returns the decision so far, of the rule and of the steps asked before, with as much of the payload as `P` has.
    /// None before the rule. A payload that does not fit is the fault `bad-payload`.
    ///
    /// ```
    /// # use loadout_sdk::testing::question;
    /// # use loadout_sdk::Decision;
    /// let question = question(serde_json::json!({
    ///     "step": "cap", "tool": "macros", "stage": 40, "decision": { "shown": { "available": ["a"] } },
    /// }));
    /// let Some(Decision::Shown { payload, .. }) = question.decision::<serde_json::Value>()? else { unreachable!() };
    /// assert_eq!(payload["available"][0], "a");
    /// # Ok::<(), loadout_sdk::Fault>(())
    /// ```
    pub fn decision<P: DeserializeOwned>(&self) -> Result<Option<Decision<P>>, Fault> {
        Ok(match self.decision.clone() {
            None => None,
            Some(Decision::Hidden { code, text }) => Some(Decision::Hidden { code, text }),
            Some(Decision::Shown { payload, items }) => {
                Some(Decision::Shown { payload: read(&payload, "payload", "bad-payload")?, items })
            }
        })
    }

    /// Returns the rule that decided, as `publisher/name version`. None before it.
    ///
    /// ```
    /// # use loadout_sdk::testing::question;
    /// let question = question(serde_json::json!({
    ///     "step": "cap", "tool": "macros", "stage": 40, "decision": { "shown": {} }, "rule": "contoso/macros 1.0.0",
    /// }));
    /// assert_eq!(question.rule(), Some("contoso/macros 1.0.0"));
    /// ```
    pub fn rule(&self) -> Option<&str> {
        self.property("rule")
    }

    /// Returns the fault policy that decided in place of a rule that failed.
    ///
    /// ```
    /// # use loadout_sdk::testing::question;
    /// let question = question(serde_json::json!({
    ///     "step": "cap", "tool": "macros", "stage": 40, "decision": { "shown": {} }, "degraded": "use-default",
    /// }));
    /// assert_eq!(question.degraded(), Some("use-default"));
    /// ```
    pub fn degraded(&self) -> Option<&str> {
        self.property("degraded")
    }

    /// Returns another property of the question by name. Later hosts may add more of them.
    ///
    /// ```
    /// # use loadout_sdk::testing::question;
    /// let question = question(serde_json::json!({
    ///     "step": "cap", "tool": "macros", "stage": 40, "decision": { "hidden": "no-macro" }, "rule": "contoso/macros 1.0.0",
    /// }));
    /// assert_eq!((question.property("rule"), question.rule()), (Some("contoso/macros 1.0.0"), Some("contoso/macros 1.0.0")));
    /// assert_eq!(question.degraded(), None);
    /// ```
    pub fn property(&self, name: &str) -> Option<&str> {
        self.properties.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}
