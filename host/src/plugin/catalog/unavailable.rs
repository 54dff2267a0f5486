//! A plugin that should be asked and cannot be. It keeps its place: what it should decide about fails visibly, and who
//! should agree to a change does not.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::experience::ToolFault;
use crate::domain::{Duties, FaultPolicy, PluginVersion, StepOverride, ToolOverride};
use crate::pipeline::{Registration, StepFault};
use crate::resolve::{Evaluation, Reads};

use super::policy::Policy;
use super::registrations::{registration, tool_step_registration};
use crate::plugin::manifest::provides::Provides;
use crate::plugin::manifest::{Manifest, ToolStepDeclaration};
use crate::plugin::worlds::sequence::ToolStepRegistration;

/// How long a question waits for a step whose component is not ready, in seconds.
const PAUSE: u32 = 30;

/// A plugin that should be asked and cannot be.
#[derive(Debug, Clone)]
pub struct UnavailablePlugin {
    /// Its name, as `publisher/name`.
    pub name: String,
    /// Its version.
    pub version: PluginVersion,
    /// Its digest.
    pub digest: String,
    /// The manifest. Without it the host cannot tell which questions the component is for.
    pub manifest: Option<Manifest>,
    /// Whether it may want to take part in changes of configuration, as far as its component shows that.
    pub may_take_part: bool,
    /// What is written down of what it declares, where it cannot say so itself.
    pub declared: Duties,
    /// What was decided about its tools.
    pub tools: BTreeMap<String, ToolOverride>,
    /// What was decided about its steps.
    pub steps: BTreeMap<String, StepOverride>,
    /// Why it cannot.
    pub reason: String,
}

impl UnavailablePlugin {
    /// The tool kinds it should decide about; where it cannot say so itself, those that are written down, and those
    /// that an administrator decided about.
    pub fn kinds(&self) -> Vec<&String> {
        match self.provides() {
            Some(Provides::ToolRule { kinds, .. }) => kinds.iter().collect(),
            Some(Provides::UpgradeStep(_) | Provides::ConfigurationSteps { .. } | Provides::ToolSteps { .. }) => {
                Vec::new()
            }
            None => self.declared.rules.iter().chain(self.tools.keys()).collect::<BTreeSet<_>>().into_iter().collect(),
        }
    }

    /// The steps of changes it should be asked as: who is not asked breaks, and does not agree.
    pub(in crate::plugin) fn registrations(&self) -> Vec<Registration> {
        let Some(manifest @ Manifest { provides: Provides::ConfigurationSteps { steps }, .. }) = &self.manifest else {
            return Vec::new();
        };
        steps.iter().map(|step| registration(manifest, None, &self.digest, step, self.steps.get(&step.name))).collect()
    }

    /// The steps around rules it should be asked as.
    pub(in crate::plugin) fn tool_steps(&self) -> Vec<ToolStepRegistration> {
        let Some(manifest @ Manifest { provides: Provides::ToolSteps { steps }, .. }) = &self.manifest else {
            return Vec::new();
        };
        let of = |step: &ToolStepDeclaration| {
            tool_step_registration(manifest, None, &self.digest, step, self.steps.get(&step.name))
        };
        steps.iter().map(of).collect()
    }

    pub(in crate::plugin) fn policy(&self, kind: &str) -> Policy {
        let wanted = self.tools.get(kind).cloned().unwrap_or_default();
        let (on_fault, default) = match self.provides() {
            Some(Provides::ToolRule { on_fault, default, .. }) => (*on_fault, default.clone()),
            _ => (FaultPolicy::Skip, None),
        };
        Policy {
            on_fault: wanted.on_fault.unwrap_or(on_fault),
            default: wanted.default.or(default).unwrap_or_default(),
        }
    }

    pub(in crate::plugin) fn step_fault(&self) -> StepFault {
        step_not_ready(&format!("{}; activate another version, or switch the plugin off", self.reason))
    }

    pub(in crate::plugin) fn evaluation(&self, reads: Reads) -> Evaluation {
        let Self { name, version, reason, .. } = self;
        let fault = not_ready(name, *version, reason);
        Evaluation::of_rule(format!("{name} {version}"), Err(fault), reads.into_recorded())
    }

    fn provides(&self) -> Option<&Provides> {
        self.manifest.as_ref().map(|manifest| &manifest.provides)
    }
}

/// Why a step is not asked that the environment tells too little, or something else. The configuration is private, so
/// the sentence does not quote it.
pub(in crate::plugin) const UNSUITED: &str =
    "what the environment tells it does not suit it: `/api/v1/steps` says why; configure it, or switch it off";

/// How a step in changes breaks that should be asked and cannot be.
pub(in crate::plugin) fn step_not_ready(reason: &str) -> StepFault {
    StepFault {
        code: "plugin.not-ready".to_owned(),
        message: format!("it cannot be used: {reason}"),
        retry_after: Some(PAUSE),
    }
}

/// How a plugin breaks that should be asked and cannot be.
pub(in crate::plugin) fn not_ready(name: &str, version: PluginVersion, reason: &str) -> ToolFault {
    ToolFault {
        code: "plugin.not-ready".to_owned(),
        message: format!("it cannot be used: {reason}"),
        plugin: name.to_owned(),
        version: version.to_string(),
        trace: None,
        retry_after: None,
    }
}
