//! The answer of a step around a rule.

use serde_json::Value;

use crate::ItemReference;

/// The answer of a step: go on with changes, or hide the tool.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The decision goes on, with these changes.
    Proceed(Changes),
    /// The tool is hidden. Before the rule, the rule is not asked; in any case no later step is.
    Hide {
        /// A stable code in lower case with hyphens, such as `not-authenticated`.
        code: String,
        /// One sentence for administrators, saying what would make the tool appear.
        text: String,
    },
}

/// The changes of a step.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// A JSON merge patch: before the rule of the settings it is given, after it of the payload of a shown tool.
    pub patch: Option<Value>,
    /// All library items the payload names from now on. None leaves them as they are.
    pub items: Option<Vec<ItemReference>>,
}

impl Outcome {
    /// Lets the decision go on as it is.
    ///
    /// ```
    /// use loadout_sdk::tool_step::{Changes, Outcome};
    /// assert_eq!(Outcome::proceed(), Outcome::Proceed(Changes::default()));
    /// ```
    pub fn proceed() -> Self {
        Self::Proceed(Changes::default())
    }

    /// Hides the tool. `text` says what would make it appear.
    ///
    /// ```
    /// use loadout_sdk::tool_step::Outcome;
    /// let outcome = Outcome::hide("not-authenticated", "Shown once the customer is authenticated.");
    /// assert!(matches!(outcome, Outcome::Hide { code, .. } if code == "not-authenticated"));
    /// ```
    pub fn hide(code: impl Into<String>, text: impl Into<String>) -> Self {
        Self::Hide { code: code.into(), text: text.into() }
    }

    /// Changes the settings, or after the rule the payload, by a JSON merge patch. It replaces a patch that was given
    /// before. Does nothing if the outcome hides the tool.
    ///
    /// ```
    /// use loadout_sdk::tool_step::Outcome;
    /// let outcome = Outcome::proceed().patch(serde_json::json!({ "most": 3 }));
    /// let Outcome::Proceed(changes) = outcome else { unreachable!() };
    /// assert_eq!(changes.patch.unwrap()["most"], 3);
    /// ```
    #[must_use]
    pub fn patch(mut self, patch: Value) -> Self {
        if let Self::Proceed(changes) = &mut self {
            changes.patch = Some(patch);
        }
        self
    }

    /// Sets the library items that the payload names, in place of all others. Only after the rule, and for a shown
    /// tool.
    ///
    /// ```
    /// use loadout_sdk::ItemReference;
    /// use loadout_sdk::tool_step::Outcome;
    /// let mail = ItemReference { kind: "macros".to_owned(), unique_name: "contoso_mail".to_owned() };
    /// let outcome = Outcome::proceed().items([mail]);
    /// let Outcome::Proceed(changes) = outcome else { unreachable!() };
    /// assert_eq!(changes.items.unwrap().len(), 1);
    /// ```
    #[must_use]
    pub fn items(mut self, items: impl IntoIterator<Item = ItemReference>) -> Self {
        if let Self::Proceed(changes) = &mut self {
            changes.items = Some(items.into_iter().collect());
        }
        self
    }
}
