//! Rollouts: a version is tried in the shadow, for some people or for a share of all, watched, and ended. A version for
//! all people is no rollout: that is activating the version.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::domain::revision::Author;
use crate::domain::{Kind, Plugin, PluginVersion, Promotion, Rollout, RolloutStage, WantedRollout};
use crate::plugin::Provides;
use crate::store::{Expect, FieldCount, Snapshot, TrialKey, Tried};

use super::gate::{Gatekeeper, Gatekeeping};
use super::{Also, Decided, Settled, UnfitSettings, item, version_of, wanted_version, written};
use crate::service::{Error, PluginError, PluginView, Service};

/// A version on trial, with the counts of its calls so far.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RolloutStatus)]
pub struct RolloutView {
    /// The plugin, as `publisher/name`.
    pub plugin: String,
    /// The version that serves all other people.
    pub serving: PluginVersion,
    /// The settings of the rollout.
    pub rollout: Rollout,
    /// The number of calls of the version on trial.
    pub asked: u64,
    /// In a shadow rollout, how often it decided otherwise than the version that serves.
    pub different: u64,
    /// How often it broke. The version that serves answered these calls.
    pub broke: u64,
    /// The code of its last fault. `/api/v1/traces` has the records of such calls.
    pub last_fault: Option<String>,
    /// In a shadow rollout, the fields in which it differed from the version that serves. The values are not kept:
    /// compare the two versions over recordings to see them.
    pub fields: Vec<FieldCount>,
    /// The settings that do not fit the version on trial, as they are. In a shadow rollout it is called with them all
    /// the same.
    #[serde(skip_serializing_if = "UnfitSettings::is_empty")]
    #[schema(required = false)]
    pub settings_problems: UnfitSettings,
    /// The number of calls of all plugins that came too fast to be observed, since this server started.
    pub unobserved: u64,
}

impl Service {
    /// Begins a rollout: tries a version of a plugin beside the one that serves. The trial of another version ends, and
    /// its counts are forgotten; the same version tried for other people goes on counting.
    pub fn begin_rollout(
        &self,
        name: &str,
        expect: Expect,
        wanted: &WantedRollout,
        gatekeeping: Gatekeeping<'_>,
        anyway: bool,
        author: &Author,
    ) -> Result<Decided<RolloutView>, Error> {
        let gate = Gatekeeper::new(gatekeeping);
        let people = self.known_people(&wanted.users)?;
        self.change_plugin(name, expect, &gatekeeping.said_by(author), |service, snapshot, plugin| {
            let version = wanted.version;
            let digest = wanted_version(name, plugin, version)?.clone();
            let (serving, serving_digest) =
                plugin.serving().ok_or_else(|| PluginError::NothingServes(name.to_owned()))?;
            if serving == version {
                return Err(PluginError::Serves { name: name.to_owned(), version }.into());
            }
            service.must_be_trusted(snapshot, name, version, &digest)?;
            let serves = service.manifest(name, serving, serving_digest)?;
            let tried = service.manifest(name, version, &digest)?;
            let tools = |provides: &Provides| match provides {
                Provides::ToolRule { kinds, .. } => Some(kinds.clone()),
                Provides::UpgradeStep(_) | Provides::ConfigurationSteps { .. } | Provides::ToolSteps { .. } => None,
            };
            let Some((_, kinds)) = tools(&serves.provides).zip(tools(&tried.provides)) else {
                return Err(PluginError::NotATool(name.to_owned()).into());
            };
            if serving.major != version.major {
                return Err(PluginError::MajorVersion { name: name.to_owned(), from: serving, to: version }.into());
            }
            if let Some(kind) = kinds.iter().find(|kind| !serves.decides_about(kind)) {
                return Err(PluginError::OtherKinds { name: name.to_owned(), version, kind: kind.clone() }.into());
            }
            for role in &wanted.roles {
                if snapshot.entry(Kind::SecurityRole, role).is_none() {
                    return Err(PluginError::NoSuchRole(role.clone()).into());
                }
            }
            let needs = service.settle_grant(snapshot, name, plugin, (&digest, None), &tried.capabilities)?;
            if let Some(needs) = needs {
                return Err(PluginError::NeedsGrant { name: name.to_owned(), version, needs: needs.into() }.into());
            }
            let mut settled = Settled::default();
            if wanted.to != RolloutStage::Shadow {
                gate.check(service, snapshot, name, plugin, version)?;
                settled = service.settings_must_fit(snapshot, name, plugin, &tried, anyway)?;
            }
            let goes_on = plugin.rollout.as_ref().filter(|it| it.version == version && it.stopped.is_none());
            let since = goes_on.map_or(snapshot.revision(), |it| it.since);
            plugin.rollout = Some(WantedRollout { users: people.clone(), ..wanted.clone() }.begun(since));
            Ok(Also { settled, ..Also::default() })
        })?;
        self.observe();
        let snapshot = self.store.snapshot()?;
        let begun = self.rollout_of(&snapshot, name)?;
        if let Some(log) = self.store.known_recordings()? {
            log.forget_trials_before(name, begun.rollout.since)?;
        }
        Ok(Decided { view: begun, revision: written(&snapshot, name)? })
    }

    /// Returns the logins of a group as they are spelt in the environment. Refuses an unknown login.
    fn known_people(&self, typed: &BTreeSet<String>) -> Result<BTreeSet<String>, Error> {
        let revision = self.store.newest()?;
        let known = typed.iter().map(|typed| {
            let missing = || PluginError::NoSuchUser(typed.clone());
            let login = typed.parse().map_err(|_| missing())?;
            let person = self.store.person(&login, revision)?;
            Ok(person.ok_or_else(missing)?.login.to_string())
        });
        known.collect()
    }

    /// Refuses a plugin whose serving version is called neither about tools nor about changes.
    pub(in crate::service) fn must_be_asked(&self, name: &str, plugin: &Plugin) -> Result<(), Error> {
        let version = plugin.active.ok_or_else(|| PluginError::NothingServes(name.to_owned()))?;
        match self.manifest(name, version, version_of(name, plugin, version)?)?.provides {
            Provides::ToolRule { .. } | Provides::ConfigurationSteps { .. } | Provides::ToolSteps { .. } => Ok(()),
            Provides::UpgradeStep(_) => Err(PluginError::NeverAsked(name.to_owned()).into()),
        }
    }

    /// Returns the rollout of a plugin, with its counts.
    pub fn rollout(&self, name: &str) -> Result<RolloutView, Error> {
        self.observe();
        self.rollout_of(&*self.store.snapshot()?, name)
    }

    fn rollout_of(&self, snapshot: &Snapshot, name: &str) -> Result<RolloutView, Error> {
        let plugin = item(snapshot, name)?;
        let missing = || PluginError::NoRollout(name.to_owned());
        let rollout = plugin.rollout.clone().ok_or_else(missing)?;
        let serving = plugin.active.ok_or_else(missing)?;
        let key = TrialKey {
            plugin: name.to_owned(),
            serving: version_of(name, plugin, serving)?.clone(),
            tried: version_of(name, plugin, rollout.version)?.clone(),
            since: rollout.since,
        };
        let counted = self.store.known_recordings()?.map(|log| log.trial(&key)).transpose()?;
        let Tried { asked, different, broke, last, fields } = counted.unwrap_or_default();
        let tried = self.platform()?.manifest(&self.store, version_of(name, plugin, rollout.version)?)?;
        let unfit = tried.map(|tried| self.unfit_settings(snapshot, name, plugin, &tried)).transpose()?;
        Ok(RolloutView {
            plugin: name.to_owned(),
            serving,
            rollout,
            asked,
            different,
            broke,
            last_fault: last,
            fields,
            settings_problems: unfit.unwrap_or_default(),
            unobserved: self.unobserved(),
        })
    }

    /// Ends a rollout. The version that serves answers all people.
    pub fn end_rollout(&self, name: &str, expect: Expect, author: &Author) -> Result<PluginView, Error> {
        self.change_plugin(name, expect, author, |_, _, plugin| {
            plugin.rollout.take().map(drop).ok_or_else(|| PluginError::NoRollout(name.to_owned()).into())
        })
    }

    /// Sets what versions of a plugin have to show before they serve.
    pub fn gate_plugin(
        &self,
        name: &str,
        expect: Expect,
        wanted: Promotion,
        author: &Author,
    ) -> Result<PluginView, Error> {
        self.change_plugin(name, expect, author, |service, _, plugin| {
            if !wanted.is_open() {
                service.must_be_asked(name, plugin)?;
            }
            plugin.promotion = wanted;
            Ok(())
        })
    }
}
