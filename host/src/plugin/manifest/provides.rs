//! What a plugin does, by the world it is built for.

use serde_json::{Map, Value};

use crate::domain::FaultPolicy;

use super::steps::StepDeclaration;
use super::tool_steps::ToolStepDeclaration;
use super::upgrade::UpgradeSection;

/// What a plugin does.
#[derive(Debug, Clone, PartialEq)]
pub enum Provides {
    /// It decides about tools of these kinds.
    ToolRule {
        /// The kinds.
        kinds: Vec<String>,
        /// What happens when it breaks.
        on_fault: FaultPolicy,
        /// What tools are given when it breaks, where that is used.
        default: Option<Map<String, Value>>,
    },
    /// It is a step of upgrades.
    UpgradeStep(UpgradeSection),
    /// It takes part in changes of configuration.
    ConfigurationSteps {
        /// The steps it wants to be asked as.
        steps: Vec<StepDeclaration>,
    },
    /// It has steps around the rules of tools.
    ToolSteps {
        /// The steps it wants to be asked as.
        steps: Vec<ToolStepDeclaration>,
    },
}
