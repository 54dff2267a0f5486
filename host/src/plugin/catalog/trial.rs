//! A version on trial beside the one that serves: for whom it answers, and what happens when it breaks.
//!
//! A version that breaks on trial costs no person anything: the one that serves is asked in its place, and the answer
//! says so.

use std::sync::Arc;

use crate::domain::{CallLimits, Capabilities, Rollout};
use crate::resolve::{Evaluation, Facts, Reads};

use crate::plugin::engine::Engine;
use crate::plugin::load::loader::{Callable, Loader, Ready};
use crate::plugin::outbound_access::gateway::Granted;
use crate::plugin::worlds::tool_rule::ToolRule;

/// A version that is tried.
#[derive(Clone)]
pub struct Trial {
    /// Its component.
    pub ready: Arc<Ready>,
    /// For whom.
    pub rollout: Rollout,
    /// What its component was granted.
    pub granted: Capabilities,
    /// What it may reach outside of the host.
    pub(in crate::plugin) outside: Arc<Granted>,
    /// What the environment lowers of what its calls may use.
    pub(in crate::plugin) limits: CallLimits,
}

impl Trial {
    /// A version that is tried as `rollout` says.
    pub fn new(ready: Arc<Ready>, rollout: Rollout, granted: Capabilities) -> Self {
        Self { ready, rollout, granted, outside: Arc::default(), limits: CallLimits::default() }
    }

    /// The rule that is tried, if it decides about tools of this kind.
    pub(in crate::plugin) fn rule(&self) -> Option<&ToolRule> {
        match &self.ready.part {
            Callable::ToolRule(plugin) => Some(plugin),
            Callable::UpgradeStep(_) | Callable::ConfigurationSteps(_) | Callable::ToolSteps(_) => None,
        }
    }

    /// What its calls may use, in the fingerprint: nothing unless the environment lowers it.
    pub(in crate::plugin) fn lowered(&self) -> String {
        self.rule().map(|rule| rule.limits.lowering(self.limits)).unwrap_or_default()
    }

    /// Whether the person is answered by it.
    pub fn reaches(&self, facts: &Facts) -> bool {
        let plugin = self.ready.manifest().full_name();
        self.rollout.reaches(&plugin, facts.caller.user.as_deref(), &facts.roles)
    }

    /// Asks it beside the version that serves, with a record like any other call. Nothing outside of the host is
    /// reached: what that does not answer was answered already. Nothing if it decides about no tool.
    pub fn shadow(&self, loader: &Loader, kind: &str, settings: &str, reads: Reads) -> Option<Evaluation> {
        let (rule, nothing) = (self.rule()?, Arc::default());
        Some(rule.evaluate(loader.engine(), kind, settings, reads, rule.means(self.limits, &nothing)))
    }

    /// Asks the version on trial in place of the one that serves. Returns nothing if it decides about no tool.
    pub(in crate::plugin) fn evaluate(
        &self,
        engine: &Engine,
        kind: &str,
        settings: &str,
        reads: Reads,
    ) -> Option<Evaluation> {
        let rule = self.rule()?;
        Some(rule.evaluate(engine, kind, settings, reads, rule.means(self.limits, &self.outside)))
    }
}
