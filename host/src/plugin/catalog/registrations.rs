//! Steps as the environment wants them: what a plugin declares, with what was decided about it here.
//!
//! Decides nothing and calls no component.

use serde_json::Value;

use crate::domain::StepOverride;
use crate::pipeline::Registration;

use crate::plugin::manifest::provides::Provides;
use crate::plugin::manifest::{Manifest, StepDeclaration, ToolStepDeclaration};
use crate::plugin::settings::schema::SettingsSchema;
use crate::plugin::worlds::sequence::ToolStepRegistration;

/// A step that a component declares, as the environment wants it.
#[derive(Debug, Clone, PartialEq)]
pub enum WantedStep {
    /// It takes part in changes of configuration.
    OfChanges(Registration),
    /// It is asked around the rules of tools.
    AroundRules(ToolStepRegistration),
}

impl WantedStep {
    /// The step called `name` of the component `digest`, whether it serves or not; `schema` is what its configuration
    /// is held against. Nothing if it declares none of the name.
    pub fn of(
        manifest: &Manifest,
        schema: Option<&SettingsSchema>,
        digest: &str,
        name: &str,
        wanted: Option<&StepOverride>,
    ) -> Option<Self> {
        match &manifest.provides {
            Provides::ConfigurationSteps { steps } => {
                let step = steps.iter().find(|step| step.name == name)?;
                Some(Self::OfChanges(registration(manifest, schema, digest, step, wanted)))
            }
            Provides::ToolSteps { steps } => {
                let step = steps.iter().find(|step| step.name == name)?;
                Some(Self::AroundRules(tool_step_registration(manifest, schema, digest, step, wanted)))
            }
            Provides::ToolRule { .. } | Provides::UpgradeStep(_) => None,
        }
    }
}

/// A step as its plugin declares it and the environment wants it.
pub(in crate::plugin) fn registration(
    manifest: &Manifest,
    schema: Option<&SettingsSchema>,
    digest: &str,
    step: &StepDeclaration,
    wanted: Option<&StepOverride>,
) -> Registration {
    let wanted = wanted.cloned().unwrap_or_default();
    let StepDeclaration { name, message, stage, mode, rank, filter, images, on_fault } = step.clone();
    Registration {
        plugin: manifest.full_name(),
        version: manifest.version,
        digest: digest.to_owned(),
        step: name,
        message,
        stage,
        mode,
        rank: wanted.rank.unwrap_or(rank),
        filter,
        images,
        on_fault: wanted.on_fault.unwrap_or(on_fault),
        problem: problem(schema, &wanted),
        configuration: Value::Object(wanted.configuration.unwrap_or_default()).to_string(),
        limits: wanted.limits,
        active: wanted.state.is_active(),
    }
}

/// A step around rules as its plugin declares it and the environment wants it.
pub(in crate::plugin) fn tool_step_registration(
    manifest: &Manifest,
    schema: Option<&SettingsSchema>,
    digest: &str,
    step: &ToolStepDeclaration,
    wanted: Option<&StepOverride>,
) -> ToolStepRegistration {
    let wanted = wanted.cloned().unwrap_or_default();
    let ToolStepDeclaration { name, resources, stage, rank, on_fault } = step.clone();
    ToolStepRegistration {
        plugin: manifest.full_name(),
        version: manifest.version,
        digest: digest.to_owned(),
        step: name,
        resources,
        stage,
        rank: wanted.rank.unwrap_or(rank),
        on_fault: wanted.on_fault.unwrap_or(on_fault),
        problem: problem(schema, &wanted),
        configuration: Value::Object(wanted.configuration.unwrap_or_default()).to_string(),
        limits: wanted.limits,
        active: wanted.state.is_active(),
    }
}

/// What `schema` has against what the environment tells a step; where it tells it nothing, that is `{}`.
fn problem(schema: Option<&SettingsSchema>, wanted: &StepOverride) -> Option<String> {
    let told = Value::Object(wanted.configuration.clone().unwrap_or_default());
    let problems: Vec<String> = schema?.problems("configuration", &told).iter().map(ToString::to_string).collect();
    (!problems.is_empty()).then(|| problems.join("; "))
}
