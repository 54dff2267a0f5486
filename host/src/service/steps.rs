//! Steps as administrators see them and decide about them.

use serde::Serialize;

use crate::domain::revision::Author;
use crate::domain::{CallLimits, FaultPolicy, PluginVersion, StepOverride};
use crate::pipeline::{Image, Mode, Registration};
use crate::plugin::ToolStepRegistration;

use super::{Error, PluginError, Service, settings};

/// A step, as it is registered now.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Step)]
pub struct StepView {
    /// The plugin, as `publisher/name`.
    pub plugin: String,
    /// Its version.
    #[schema(value_type = String)]
    pub version: PluginVersion,
    /// The SHA-256 of the component, in hexadecimal.
    pub digest: String,
    /// The step.
    pub name: String,
    /// What it is asked about: a change such as `profile.update`, or `tool.evaluate`.
    pub message: String,
    /// The tool kinds it is asked about, of a step around rules.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resource: Vec<String>,
    /// 10, 20 or 40.
    pub stage: u32,
    /// Whether what it is asked about waits for it.
    pub mode: Mode,
    /// Its place in its stage.
    pub rank: i32,
    /// The attributes it cares about; all if there is none.
    pub filtering_attributes: Vec<String>,
    /// What it is shown besides what differs.
    pub images: Vec<Image>,
    /// What happens when it breaks.
    pub on_fault: FaultPolicy,
    /// What the environment tells it.
    #[schema(value_type = Object)]
    pub configuration: serde_json::Value,
    /// What the environment lowers of what its calls may use.
    #[serde(skip_serializing_if = "CallLimits::is_empty")]
    pub limits: CallLimits,
    /// Why the configuration does not suit it: it is not asked then, and breaks with `plugin.not-ready`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// Whether it is asked.
    pub active: bool,
}

impl Service {
    /// The steps that take part in changes, then those around rules, each in the order in which they are asked.
    pub fn steps(&self) -> Result<Vec<StepView>, Error> {
        let snapshot = self.store.snapshot()?;
        let handlers = self.handlers(&snapshot)?;
        let around = self.machinery.tool_steps(&self.store, &snapshot)?;
        Ok(handlers.registrations().iter().map(StepView::from).chain(around.into_iter().map(StepView::from)).collect())
    }

    /// Decides about a step of a plugin, instead of what was decided before.
    pub fn decide_about_step(
        &self,
        plugin: &str,
        step: &str,
        wanted: &StepOverride,
        author: &Author,
    ) -> Result<StepView, Error> {
        let known = |service: &Self| -> Result<Option<StepView>, Error> {
            Ok(service.steps()?.into_iter().find(|view| view.plugin == plugin && view.name == step))
        };
        let missing = || PluginError::NoSuchStep { name: plugin.to_owned(), step: step.to_owned() };
        known(self)?.ok_or_else(missing)?;
        self.change_plugin(plugin, author, |service, _, item| {
            if let (Some(told), Some((version, digest))) = (&wanted.configuration, item.serving()) {
                let schema = service.manifest(plugin, version, digest)?.settings_schema;
                settings::check("configuration", schema.as_ref(), told)?;
            }
            if *wanted == StepOverride::default() {
                item.steps.remove(step);
            } else {
                item.steps.insert(step.to_owned(), wanted.clone());
            }
            Ok(())
        })?;
        Ok(known(self)?.ok_or_else(missing)?)
    }
}

impl From<&Registration> for StepView {
    fn from(step: &Registration) -> Self {
        let Registration {
            plugin,
            version,
            digest,
            step,
            message,
            stage,
            mode,
            rank,
            filter,
            images,
            on_fault,
            configuration,
            limits,
            problem,
            active,
        } = step.clone();
        Self {
            plugin,
            version,
            digest,
            name: step,
            message: message.to_string(),
            resource: Vec::new(),
            stage: stage.into(),
            mode,
            rank,
            filtering_attributes: filter,
            images,
            on_fault,
            configuration: serde_json::from_str(&configuration).unwrap_or_default(),
            limits,
            problem,
            active,
        }
    }
}

impl From<ToolStepRegistration> for StepView {
    fn from(step: ToolStepRegistration) -> Self {
        let ToolStepRegistration {
            plugin,
            version,
            digest,
            step,
            resources,
            stage,
            rank,
            on_fault,
            configuration,
            limits,
            problem,
            active,
        } = step;
        Self {
            plugin,
            version,
            digest,
            name: step,
            message: ToolStepRegistration::MESSAGE.to_owned(),
            resource: resources,
            stage: stage.into(),
            mode: Mode::Sync,
            rank,
            filtering_attributes: Vec::new(),
            images: Vec::new(),
            on_fault,
            configuration: serde_json::from_str(&configuration).unwrap_or_default(),
            limits,
            problem,
            active,
        }
    }
}
