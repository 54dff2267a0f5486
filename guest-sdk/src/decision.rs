//! The decision of a rule about its tool.

use serde::Serialize;

use crate::Fault;

/// The decision of a rule about its tool: shown with a payload, or hidden with a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision<P> {
    /// The tool is shown.
    Shown {
        /// The payload for the control that draws the tool.
        payload: P,
        /// The library items the payload names. The host adds their content to the answer.
        items: Vec<ItemReference>,
    },
    /// The tool is hidden.
    Hidden {
        /// A stable code in lower case with hyphens, such as `no-script`.
        code: String,
        /// One sentence for administrators, saying what would make the tool appear.
        text: String,
    },
}

/// A reference to one library item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ItemReference {
    /// The collection, such as `scripts`.
    pub kind: String,
    /// The item, by unique name.
    pub unique_name: String,
}

impl<P> Decision<P> {
    /// Shows the tool, and gives `payload` to its control.
    ///
    /// ```
    /// # use loadout_sdk::Decision;
    /// assert_eq!(Decision::shown("x").payload(), Some(&"x"));
    /// ```
    pub fn shown(payload: P) -> Self {
        Self::Shown { payload, items: Vec::new() }
    }

    /// Hides the tool. `text` says what would make it appear.
    ///
    /// ```
    /// # use loadout_sdk::Decision;
    /// let decision = Decision::<()>::hidden("no-script", "Shown once the session has a script.");
    /// assert_eq!(decision.payload(), None);
    /// ```
    pub fn hidden(code: impl Into<String>, text: impl Into<String>) -> Self {
        Self::Hidden { code: code.into(), text: text.into() }
    }

    /// Adds items of one kind that the payload names, each once. Does nothing if the tool is hidden.
    ///
    /// ```
    /// # use loadout_sdk::Decision;
    /// let decision = Decision::shown(()).naming("scripts", ["contoso_greet", "contoso_greet"]);
    /// assert_eq!(decision.items().len(), 1);
    /// ```
    #[must_use]
    pub fn naming<N: Into<String>>(mut self, kind: &str, names: impl IntoIterator<Item = N>) -> Self {
        if let Self::Shown { items, .. } = &mut self {
            for name in names {
                let item = ItemReference { kind: kind.to_owned(), unique_name: name.into() };
                if !items.contains(&item) {
                    items.push(item);
                }
            }
        }
        self
    }

    /// Returns the payload of a shown tool.
    ///
    /// ```
    /// # use loadout_sdk::Decision;
    /// assert_eq!(Decision::shown(3).payload(), Some(&3));
    /// ```
    pub fn payload(&self) -> Option<&P> {
        match self {
            Self::Shown { payload, .. } => Some(payload),
            Self::Hidden { .. } => None,
        }
    }

    /// Returns the items that a shown tool names.
    ///
    /// ```
    /// # use loadout_sdk::Decision;
    /// let decision = Decision::shown(()).naming("scripts", ["contoso_greet"]);
    /// assert_eq!(decision.items()[0].unique_name, "contoso_greet");
    /// ```
    pub fn items(&self) -> &[ItemReference] {
        match self {
            Self::Shown { items, .. } => items,
            Self::Hidden { .. } => &[],
        }
    }
}

impl<P: Serialize> Decision<P> {
    /// Turns the payload into JSON text. Refuses a payload that is no object.
    pub(crate) fn written(self) -> Result<Decision<String>, Fault> {
        match self {
            Self::Hidden { code, text } => Ok(Decision::Hidden { code, text }),
            Self::Shown { payload, items } => {
                let bad = |reason: String| Fault::new("bad-payload", reason);
                let payload = serde_json::to_string(&payload).map_err(|error| bad(error.to_string()))?;
                if !payload.starts_with('{') {
                    return Err(bad("the payload must be a JSON object".to_owned()));
                }
                Ok(Decision::Shown { payload, items })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_object_is_a_payload() {
        assert_eq!(Decision::shown(serde_json::json!({"a": 1})).written().unwrap().payload().unwrap(), r#"{"a":1}"#);
        for payload in [serde_json::json!([1]), serde_json::json!("{}"), serde_json::Value::Null] {
            assert_eq!(Decision::shown(payload).written().unwrap_err().code(), "bad-payload");
        }
    }

    #[test]
    fn a_hidden_tool_names_no_items() {
        assert!(Decision::<()>::hidden("no-script", "…").naming("scripts", ["contoso_greet"]).items().is_empty());
    }
}
