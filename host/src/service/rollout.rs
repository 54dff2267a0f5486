//! Rollouts by administrators: a version begun with nobody, some people or a share of all, watched, and ended.
//!
//! For everybody is no rollout: that is activating the version.

use serde::Serialize;

use crate::domain::comparison::Difference;
use crate::domain::revision::Author;
use crate::domain::{Kind, PluginVersion, Promotion, Rollout, RolloutStage};
use crate::plugin::Provides;
use crate::store::{TrialKey, Tried};

use super::comparison::Gatekeeping;
use super::plugins::{item, version_of};
use super::{Error, PluginError, PluginView, Service};

/// A version on trial, and what became of it so far.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RolloutStatus)]
pub struct RolloutView {
    /// The plugin, as `publisher/name`.
    pub plugin: String,
    /// The version that serves everybody else.
    #[schema(value_type = String)]
    pub serving: PluginVersion,
    /// How it is tried.
    pub rollout: Rollout,
    /// How often it was asked.
    pub asked: u64,
    /// How often it decided otherwise than the version that serves, in the shadow of it.
    pub different: u64,
    /// How often it broke. Whoever it was about was answered by the version that serves.
    pub broke: u64,
    /// How it broke last.
    pub last_fault: Option<String>,
    /// In what it differed, in the shadow of the version that serves.
    pub differences: Vec<Difference>,
    /// Calls of any plugin that came too fast to be looked at, since this server started.
    pub unobserved: u64,
}

impl Service {
    /// Tries a version of a plugin beside the one that serves. What was tried before is not any more, and its counts are forgotten, but
    /// for the same version tried for others.
    pub fn begin_rollout(
        &self,
        name: &str,
        wanted: &Rollout,
        gatekeeping: Gatekeeping<'_>,
        author: &Author,
    ) -> Result<RolloutView, Error> {
        let forgotten = std::cell::Cell::new(false);
        self.change_plugin(name, author, |service, snapshot, plugin| {
            let version = wanted.version;
            let digest = version_of(name, plugin, version)?.clone();
            let (serving, serving_digest) =
                plugin.serving().ok_or_else(|| PluginError::NothingServes(name.to_owned()))?;
            if serving == version {
                return Err(PluginError::Serves { name: name.to_owned(), version }.into());
            }
            service.must_be_trusted(snapshot, name, version, &digest)?;
            let serves = service.manifest(name, serving, serving_digest)?;
            let tried = service.manifest(name, version, &digest)?;
            let tools = |provides: &Provides| match provides {
                Provides::Tool { kinds, .. } => Some(kinds.clone()),
                Provides::Step(_) | Provides::Handler { .. } | Provides::ToolSteps { .. } => None,
            };
            let Some((_, kinds)) = tools(&serves.provides).zip(tools(&tried.provides)) else {
                return Err(PluginError::NotATool(name.to_owned()).into());
            };
            if let Some(kind) = kinds.iter().find(|kind| !serves.decides_about(kind)) {
                return Err(PluginError::OtherKinds { name: name.to_owned(), version, kind: kind.clone() }.into());
            }
            for role in &wanted.roles {
                if snapshot.entry(Kind::SecurityRole, role).is_none() {
                    return Err(PluginError::NoSuchRole(role.clone()).into());
                }
            }
            if wanted.to != RolloutStage::Shadow {
                service.must_be_promotable(snapshot, name, plugin, version, gatekeeping)?;
            }
            let same =
                plugin.rollout.as_ref().is_some_and(|before| before.version == version && before.stopped.is_none());
            forgotten.set(!same);
            plugin.rollout = Some(Rollout { stopped: None, ..wanted.clone() });
            Ok(())
        })?;
        if forgotten.get() {
            let snapshot = self.store.snapshot()?;
            let digest = version_of(name, item(&snapshot, name)?, wanted.version)?;
            self.observe()?;
            self.store.recordings()?.forget_trial(name, digest)?;
        }
        self.rollout(name)
    }

    /// What became of the version that is tried.
    pub fn rollout(&self, name: &str) -> Result<RolloutView, Error> {
        self.observe()?;
        let snapshot = self.store.snapshot()?;
        let plugin = item(&snapshot, name)?;
        let missing = || PluginError::NoRollout(name.to_owned());
        let rollout = plugin.rollout.clone().ok_or_else(missing)?;
        let serving = plugin.active.ok_or_else(missing)?;
        let key = TrialKey {
            plugin: name.to_owned(),
            serving: version_of(name, plugin, serving)?.clone(),
            tried: version_of(name, plugin, rollout.version)?.clone(),
        };
        let Tried { asked, different, broke, last, differences } = self.store.recordings()?.trial(&key)?;
        let (plugin, unobserved) = (name.to_owned(), self.unobserved());
        Ok(RolloutView { plugin, serving, rollout, asked, different, broke, last_fault: last, differences, unobserved })
    }

    /// Tries a version no more. Everybody is answered by the one that serves.
    pub fn end_rollout(&self, name: &str, author: &Author) -> Result<PluginView, Error> {
        self.change_plugin(name, author, |_, _, plugin| {
            plugin.rollout.take().map(drop).ok_or_else(|| PluginError::NoRollout(name.to_owned()).into())
        })
    }

    /// Says what versions of a plugin have to show before they serve.
    pub fn gate_plugin(&self, name: &str, wanted: Promotion, author: &Author) -> Result<PluginView, Error> {
        self.change_plugin(name, author, |_, _, plugin| {
            plugin.promotion = wanted;
            Ok(())
        })
    }
}
