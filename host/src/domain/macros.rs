//! Macros: actions run in order, as workflow definitions.

use serde::{Deserialize, Serialize};

use super::item::item_basics;
use super::*;

/// Actions run in order (a `workflow` of category 9000).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Macro {
    /// Shown in the list of macros.
    pub name: Localized<100>,
    /// Shown below the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Localized<2000>>,
    /// Inactive macros are skipped.
    #[serde(default, skip_serializing_if = "State::is_active")]
    pub state: State,
    /// The actions.
    pub definition: Definition,
    /// Where the macro came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

impl Item for Macro {
    item_basics!(Macro, named, stateful);

    fn check(&self, problems: &mut Problems) {
        if let Err(error) = self.definition.workflow() {
            problems.question("definition", error.to_string());
        }
    }
}
