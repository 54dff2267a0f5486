//! Steps as administrators see them, and their decisions about them.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;

use crate::domain::revision::Author;
use crate::domain::{CallLimits, Digest, FaultPolicy, Plugin, PluginVersion, StepOverride};
use crate::pipeline::{Image, Mode, Registration};
use crate::plugin::{Manifest, Ready, ToolStepRegistration, WantedStep};
use crate::store::Expect;

use super::settings;
use super::{Decided, item, written};
use crate::service::runtime::platform::Found;
use crate::service::{Error, PluginError, Service};

/// A step, as it is registered now; of a version that does not serve, as it would be.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Step)]
pub struct StepView {
    /// The plugin, as `publisher/name`.
    pub plugin: String,
    /// Its version.
    pub version: PluginVersion,
    /// The SHA-256 of the component, in hexadecimal.
    pub digest: String,
    /// The step.
    pub name: String,
    /// The message it is called for: a change such as `profile.update`, or `tool.evaluate`.
    pub message: String,
    /// For a step around rules, the tool kinds it is called for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resource: Vec<String>,
    /// 10, 20 or 40.
    pub stage: u32,
    /// Whether the change or the call waits for it.
    pub mode: Mode,
    /// Its place in its stage.
    pub rank: i32,
    /// The attributes whose changes it is called for; all if there is none.
    pub filtering_attributes: Vec<String>,
    /// The images it is given besides the differences.
    pub images: Vec<Image>,
    /// What happens when it breaks.
    pub on_fault: FaultPolicy,
    /// The settings that the environment gives it.
    #[schema(value_type = Object)]
    pub configuration: serde_json::Value,
    /// The limits of its calls that the environment lowers.
    #[serde(skip_serializing_if = "CallLimits::is_empty")]
    pub limits: CallLimits,
    /// Why the configuration does not suit it: then it is not called, and breaks with `plugin.not-ready`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// Whether it is called.
    pub active: bool,
}

impl Service {
    /// Returns the configuration steps, then the steps around rules, each in the order in which they are called.
    pub fn steps(&self) -> Result<Vec<StepView>, Error> {
        let snapshot = self.store.snapshot()?;
        let handlers = self.handlers(&snapshot)?;
        let around = self.machinery.tool_steps(&self.store, &snapshot)?;
        Ok(handlers.registrations().iter().map(StepView::from).chain(around.into_iter().map(StepView::from)).collect())
    }

    /// Replaces the environment's decision about a step. Works before its version serves, so the step is configured
    /// from its first call.
    pub fn decide_about_step(
        &self,
        plugin: &str,
        expect: Expect,
        step: &str,
        wanted: &StepOverride,
        author: &Author,
    ) -> Result<Decided<StepView>, Error> {
        self.change_plugin(plugin, expect, author, |service, _, item| {
            let (_, digest, manifest) = service.declaring(plugin, item, step)?;
            if let Some(told) = &wanted.configuration {
                let ready = service.ready_by_now(digest)?;
                let schema = ready.as_ref().and_then(|ready| ready.settings());
                settings::check("configuration", schema, told)?;
            }
            let before = manifest.duties(&item.steps);
            if *wanted == StepOverride::default() {
                item.steps.remove(step);
            } else {
                item.steps.insert(step.to_owned(), wanted.clone());
            }
            if item.serving().is_none() && !item.answers_for.is_empty() {
                // The plugin answers for the kinds that it would serve with this decision.
                item.answers_for.subtract(&before);
                item.answers_for.add(manifest.duties(&item.steps));
            }
            Ok(())
        })?;
        let snapshot = self.store.snapshot()?;
        let item = item(&snapshot, plugin)?;
        let (version, digest, manifest) = self.declaring(plugin, item, step)?;
        let missing = || PluginError::NoSuchStep { name: plugin.to_owned(), step: step.to_owned(), known: Vec::new() };
        let ready = self.ready_by_now(digest)?;
        let schema = ready.as_ref().and_then(|ready| ready.settings());
        let wanted = item.steps.get(step);
        let found = WantedStep::of(&manifest, schema, digest.as_str(), step, wanted).ok_or_else(missing)?;
        let serves = item.serving().is_some_and(|(serving, _)| serving == version);
        let view = match found {
            WantedStep::OfChanges(step) => StepView::from(&step),
            WantedStep::AroundRules(step) => StepView::from(step),
        };
        let view = StepView { active: view.active && serves, ..view };
        Ok(Decided { view, revision: written(&snapshot, plugin)? })
    }

    /// Returns a component made ready, so that the configuration of a step can be checked against its schema. Nothing
    /// if it cannot be made ready: then its steps are not called either, and a wrong configuration shows once it is
    /// ready.
    fn ready_by_now(&self, digest: &Digest) -> Result<Option<Arc<Ready>>, Error> {
        Ok(match self.platform()?.ready(&self.store, digest)? {
            Found::Ready(ready) => Some(ready),
            Found::Unusable { .. } | Found::Lost(_) => None,
        })
    }

    /// Returns the version of a plugin that declares a step: the one that was activated, or else the newest.
    fn declaring<'a>(
        &'a self,
        name: &str,
        plugin: &'a Plugin,
        step: &str,
    ) -> Result<(PluginVersion, &'a Digest, Manifest), Error> {
        let mut known = BTreeSet::new();
        for found in self.manifests(plugin) {
            let (version, digest, manifest) = found?;
            if manifest.has_step(step) {
                return Ok((version, digest, manifest));
            }
            known.extend(manifest.step_names().into_iter().map(str::to_owned));
        }
        let known = known.into_iter().collect();
        Err(PluginError::NoSuchStep { name: name.to_owned(), step: step.to_owned(), known }.into())
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
