//! The plugin source of a service: where its rules and its upgrade steps come from.

use std::sync::Arc;

use crate::plugin::ToolStepRegistration;
use crate::resolve::ToolRules;
use crate::store;
use crate::store::{Snapshot, Store};
use crate::upgrade::{Migration, Page, StepFault, StepInfo, StepNote, Steps};

use super::platform::Platform;

/// Where rules and steps come from.
pub(in crate::service) enum PluginSource {
    /// They are given, whatever the configuration says.
    Given { rules: Arc<dyn ToolRules>, steps: Arc<dyn Steps> },
    /// They are plugins, as the configuration says.
    Installed(Box<Platform>),
}

/// A source of upgrade steps that has none.
struct NoSteps;

impl PluginSource {
    /// Returns a source with the given rules and no step.
    pub(in crate::service) fn of_rules(rules: Arc<dyn ToolRules>) -> Self {
        Self::Given { rules, steps: Arc::new(NoSteps) }
    }

    /// Returns the rules of tools at the revision of `snapshot`.
    pub(in crate::service) fn rules(
        &self,
        store: &Store,
        snapshot: &Snapshot,
    ) -> Result<Arc<dyn ToolRules>, store::Error> {
        Ok(match self {
            Self::Given { rules, .. } => Arc::clone(rules),
            Self::Installed(platform) => platform.catalog(store, snapshot)?,
        })
    }

    /// Returns the steps around the rules of tools at the revision of `snapshot`, in the order in which they are
    /// called.
    pub(in crate::service) fn tool_steps(
        &self,
        store: &Store,
        snapshot: &Snapshot,
    ) -> Result<Vec<ToolStepRegistration>, store::Error> {
        Ok(match self {
            Self::Given { .. } => Vec::new(),
            Self::Installed(platform) => platform.catalog(store, snapshot)?.tool_steps().to_vec(),
        })
    }

    /// Returns the upgrade steps at the revision of `snapshot`.
    pub(in crate::service) fn steps(&self, store: &Store, snapshot: &Snapshot) -> Result<Arc<dyn Steps>, store::Error> {
        Ok(match self {
            Self::Given { steps, .. } => Arc::clone(steps),
            Self::Installed(platform) => platform.catalog(store, snapshot)?,
        })
    }
}

impl Steps for NoSteps {
    fn infos(&self) -> &[StepInfo] {
        &[]
    }

    fn check(&self, step: &str, _: &Page, _: &Arc<Snapshot>) -> Result<Vec<StepNote>, StepFault> {
        Err(no_step(step))
    }

    fn migrate(&self, step: &str, _: &Page, _: &Arc<Snapshot>) -> Result<Migration, StepFault> {
        Err(no_step(step))
    }
}

fn no_step(step: &str) -> StepFault {
    let message = "there are no steps".to_owned();
    StepFault { step: step.to_owned(), code: "step.missing".to_owned(), message }
}
