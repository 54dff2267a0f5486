//! Scripts: guided steps for a conversation or a case.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::item::item_basics;
use super::*;

/// Guided steps (`msdyn_productivityagentscript`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Script {
    /// Shown in the list of scripts.
    pub name: Localized<100>,
    /// For administrators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Localized<100>>,
    /// Inactive scripts are skipped.
    #[serde(default, skip_serializing_if = "State::is_active")]
    pub state: State,
    /// The language the script is written in, such as 1033.
    pub language: Language,
    /// The steps, shown by `order`.
    #[serde(default)]
    pub steps: Vec<ScriptStep>,
    /// Where the script came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

/// One step (`msdyn_productivityagentscriptstep`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScriptStep {
    /// Names the step within its script.
    pub unique_name: Text<128>,
    /// Shown; slugs allowed.
    pub name: Localized<100>,
    /// Position, from 1.
    #[schema(minimum = 1)]
    pub order: u32,
    /// The action of the step.
    pub action: StepAction,
    /// Shown below the name of a macro or script step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Localized<2000>>,
    /// Inactive steps are skipped.
    #[serde(default, skip_serializing_if = "State::is_active")]
    pub state: State,
}

/// The action of a step (`msdyn_actiontype`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub enum StepAction {
    /// An instruction, which the person marks as done; slugs allowed.
    Text {
        /// The words.
        instruction: Localized<2000>,
    },
    /// Runs a macro.
    Macro {
        /// The macro.
        #[serde(rename = "macro")]
        runs: Name<Macro>,
    },
    /// Shows another script in place of this one.
    Script {
        /// The other script.
        script: Name<Script>,
    },
}

impl Item for Script {
    item_basics!(Script, named, stateful);

    fn references(&mut self, visit: &mut dyn FnMut(Reference<'_>)) {
        for step in &mut self.steps {
            match &mut step.action {
                StepAction::Text { .. } => {}
                StepAction::Macro { runs } => visit(runs.reference("steps.action.macro")),
                StepAction::Script { script } => visit(script.reference("steps.action.script")),
            }
        }
    }

    fn check(&self, problems: &mut Problems) {
        let mut names = BTreeSet::new();
        for (index, step) in self.steps.iter().enumerate() {
            let at = format!("steps[{index}]");
            if !names.insert(&step.unique_name) {
                problems.refuse(&at, format!("there are two steps `{}`: rename one", step.unique_name));
            }
            if step.order == 0 {
                problems.question(format!("{at}.order"), "0 is out of range: the first step is 1");
            }
            slug::check_localized(&step.name, &format!("{at}.name"), problems);
            if let StepAction::Text { instruction } = &step.action {
                slug::check_localized(instruction, &format!("{at}.action.instruction"), problems);
            }
        }
    }
}
