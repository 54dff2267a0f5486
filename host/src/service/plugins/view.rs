//! Plugins as administrators see them: which there are, which version serves, and what is wrong. Changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::domain::{
    Capabilities, Digest, Duties, Kind, Plugin, PluginVersion, Promotion, RecordingSettings, Revision, RolledBack,
    Rollout, State, StepOverride, ToolOverride,
};
use crate::plugin::{Catalog, Health};
use crate::store::{FailedVersion, Layer, Snapshot};

use super::super::{Error, PluginSource, Service};
use super::fit::UnfitSettings;
use super::migrated::Migrated;
use super::trust::SignerView;
use super::{PluginError, entry, item};
use crate::service::runtime::serving;
use crate::service::runtime::serving::{Idle, ServingState};

/// A plugin, as administrators see it.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Plugin)]
pub struct PluginView {
    /// The publisher.
    pub publisher: String,
    /// The name, without the publisher.
    pub name: String,
    /// Who owns it: the product, or this environment.
    pub layer: Layer,
    /// An inactive plugin is not called.
    pub state: State,
    /// What it does now, in one word.
    pub serving: ServingState,
    /// Why it does nothing now, or less than it answers for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What to do about that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The tool kinds it answers for and does not serve now: tools of the kinds in `rules` and `guards` are hidden,
    /// those in `steps` are decided without its step.
    #[serde(skip_serializing_if = "Duties::is_empty")]
    #[schema(required = false)]
    pub answers_for: Duties,
    /// The version that serves.
    pub version: Option<PluginVersion>,
    /// The SHA-256 of the component that serves, in hexadecimal.
    pub digest: Option<Digest>,
    /// The world that version is built for.
    pub world: Option<String>,
    /// One sentence about it.
    pub description: Option<String>,
    /// The tool kinds it decides about.
    pub kinds: Vec<String>,
    /// The JSON Schema of its settings.
    #[schema(value_type = Option<Object>)]
    pub settings_schema: Option<serde_json::Map<String, serde_json::Value>>,
    /// What is wrong with the version that should serve: why it does not, or why it would not be let in today.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// The settings that do not fit the version that serves.
    #[serde(skip_serializing_if = "UnfitSettings::is_empty")]
    #[schema(required = false)]
    pub settings_problems: UnfitSettings,
    /// Why a newer version that came with the product does not serve.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_back: Option<String>,
    /// Whether an administrator chose the version.
    pub pinned: bool,
    /// The versions that are there, the newest first; none as long as none could be installed.
    pub versions: Vec<VersionView>,
    /// The versions that served before, the last one last.
    pub served_before: Vec<PluginVersion>,
    /// The versions that could not be installed, the last first.
    pub failed: Vec<FailedVersion>,
    /// The decisions about its tools.
    pub tools: BTreeMap<String, ToolOverride>,
    /// Whether this process calls it, or each of its steps, and which hosts outside it does not reach for now.
    pub health: Vec<Health>,
    /// The decisions about its steps.
    pub steps: BTreeMap<String, StepOverride>,
    /// Which of its calls are recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recording: Option<RecordingSettings>,
    /// What a version has to show before it serves.
    pub promotion: Promotion,
    /// The version that is tried while another one serves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollout: Option<Rollout>,
    /// The revision that wrote all this; 0 as long as no version could be installed.
    pub revision: Revision,
}

/// A version of a plugin.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PluginVersion)]
pub struct VersionView {
    /// The version.
    pub version: PluginVersion,
    /// The SHA-256 of its component, in hexadecimal.
    pub digest: Digest,
    /// Whether it serves.
    pub serves: bool,
    /// When it was installed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub at: Option<jiff::Timestamp>,
    /// Who installed it.
    pub who: Option<String>,
    /// Bytes of the component.
    pub size: Option<u64>,
    /// Who signed the component.
    pub signed_by: Vec<SignerView>,
    /// The capabilities outside the host that the component asks for.
    #[serde(skip_serializing_if = "Capabilities::is_empty")]
    #[schema(required = false)]
    pub asks: Capabilities,
    /// The capabilities it was granted, if an administrator decided about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub granted: Option<Capabilities>,
}

/// A plugin, and the outcome for the version that was installed.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = InstalledPlugin)]
pub struct Installed {
    /// The plugin.
    #[serde(flatten)]
    pub plugin: PluginView,
    /// Whether the version that was installed serves now.
    pub activated: bool,
    /// The capabilities that an administrator has to decide about before it can serve.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needs: Option<Capabilities>,
    /// The settings that were changed with the version.
    #[serde(skip_serializing_if = "Migrated::is_empty")]
    #[schema(required = false)]
    pub migrated: Migrated,
    /// Why it does not serve, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// A plugin, and the settings that were changed with the version that serves now.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ActivatedPlugin {
    /// The plugin.
    #[serde(flatten)]
    pub plugin: PluginView,
    /// The settings that were changed with the version.
    #[serde(skip_serializing_if = "Migrated::is_empty")]
    #[schema(required = false)]
    pub migrated: Migrated,
}

/// A decision about a part of a plugin, and the revision that wrote the plugin.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided<T> {
    /// The part, as it is now.
    pub view: T,
    /// The revision that wrote the plugin.
    pub revision: Revision,
}

/// A plugin, and what a roll-back took back.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RolledBackPlugin {
    /// The plugin.
    #[serde(flatten)]
    pub plugin: PluginView,
    /// What was taken back: a version that was tried, or the one that served.
    pub rolled_back: RolledBack,
    /// The settings that were changed with the version.
    #[serde(skip_serializing_if = "Migrated::is_empty")]
    #[schema(required = false)]
    pub migrated: Migrated,
}

impl Service {
    /// Returns the installed plugins, and those of which no version could be installed yet, by name.
    pub fn plugins(&self) -> Result<Vec<PluginView>, Error> {
        let PluginSource::Installed(platform) = &self.machinery else { return Ok(Vec::new()) };
        let snapshot = self.store.snapshot()?;
        let catalog = platform.catalog(&self.store, &snapshot)?;
        let there = snapshot.entries(Kind::Plugin).map(|(name, _)| name.to_string());
        let names: BTreeSet<String> = there.chain(self.store.failing_plugins()?).collect();
        let views = names.iter().map(|name| self.view(&snapshot, &catalog, name));
        // Failures may be forgotten meanwhile.
        views.filter(|view| !matches!(view, Err(Error::Plugin(PluginError::NoSuchPlugin(_))))).collect()
    }

    /// Returns whether there is a plugin of this name.
    pub fn has_plugin(&self, name: &str) -> Result<bool, Error> {
        Ok(self.store.snapshot()?.entry(Kind::Plugin, name).is_some())
    }

    /// Returns one plugin.
    pub fn plugin(&self, name: &str) -> Result<PluginView, Error> {
        let snapshot = self.store.snapshot()?;
        let catalog = self.platform()?.catalog(&self.store, &snapshot)?;
        self.view(&snapshot, &catalog, name)
    }

    fn view(&self, snapshot: &Snapshot, catalog: &Catalog, name: &str) -> Result<PluginView, Error> {
        let failed = self.store.failed_versions(name)?;
        let (never, layer) = (Plugin { state: State::Inactive, ..Plugin::default() }, Layer::Custom);
        let (plugin, layer, revision) = match entry(snapshot, name) {
            // No revision wrote a plugin of which no version could be installed.
            Err(_) if !failed.is_empty() => (&never, layer, Revision::default()),
            entry => {
                let entry = entry?;
                (item(snapshot, name)?, entry.layer, entry.revision)
            }
        };
        let serving = plugin.serving();
        let info = serving.and_then(|(_, digest)| {
            catalog.plugins().iter().find(|info| info.full_name() == name && info.digest == digest.as_str())
        });
        let missing = catalog.missing().iter().find(|missing| missing.name == name).map(|it| it.reason.clone());
        let distrusted = |(version, digest): (PluginVersion, &Digest)| {
            self.must_be_trusted(snapshot, name, version, digest).err().map(|error| error.to_string())
        };
        let unavailable = missing.is_some();
        let problem = missing.or_else(|| serving.and_then(distrusted));
        let mut versions = Vec::new();
        for (version, digest) in plugin.versions.iter().rev() {
            let record = self.store.component_record(digest)?;
            versions.push(VersionView {
                version: *version,
                digest: digest.clone(),
                signed_by: self.signers(snapshot, name, digest)?,
                asks: (*self.asked_of(digest)?).clone(),
                granted: plugin.grants.get(digest).cloned(),
                serves: serving.is_some_and(|(serving, _)| serving == *version),
                at: record.as_ref().map(|record| record.at),
                size: record.as_ref().map(|record| record.size),
                who: record.map(|record| record.who),
            });
        }
        let waiting = versions.first().filter(|it| it.granted.is_none() && !it.asks.is_empty()).map(|it| it.version);
        let health = catalog.health(name);
        let idle = match serving {
            None if revision == Revision::default() => failed.first().map(|last| Idle {
                state: ServingState::Failing,
                why: format!("no version of plugin `{name}` could be installed: {}", last.reason),
                next: "install a version that is mended".to_owned(),
            }),
            None => Some(serving::idle(name, plugin, waiting)),
            Some((version, _)) if unavailable => Some(Idle {
                state: ServingState::Unavailable,
                why: format!("plugin `{name}` {version} cannot be used: {}", problem.clone().unwrap_or_default()),
                next: "install it again, activate another version, or switch it off".to_owned(),
            }),
            Some((version, _)) => serving::by_health(name, &health).or_else(|| {
                (!plugin.answers_for.is_empty()).then(|| Idle {
                    state: ServingState::Active,
                    why: format!("plugin `{name}` {version} does less than it answers for"),
                    next: format!(
                        "let a version that does it serve, or say `\"fallBack\": true` with `PUT /api/v1/plugins/{name}/state`"
                    ),
                })
            }),
        };
        let (doing, reason, next) = match idle {
            Some(Idle { state, why, next }) => (state, Some(why), Some(next)),
            None => (ServingState::Active, None, None),
        };
        let (publisher, short) = name.split_once('/').unwrap_or(("", name));
        Ok(PluginView {
            publisher: publisher.to_owned(),
            name: short.to_owned(),
            layer,
            state: plugin.state,
            serving: doing,
            reason,
            next,
            answers_for: plugin.answers_for.clone(),
            version: plugin.active,
            digest: plugin.active.and_then(|version| plugin.versions.get(&version)).cloned(),
            world: info.map(|info| info.world.clone()),
            description: info.map(|info| info.description.clone()),
            kinds: info.map(|info| info.kinds.clone()).unwrap_or_default(),
            settings_schema: info.and_then(|info| info.settings_schema.clone()),
            problem,
            settings_problems: info.map_or(Ok(UnfitSettings::default()), |_| self.unfit_now(snapshot, name, plugin))?,
            held_back: self.held_back(snapshot, name, plugin)?,
            pinned: plugin.pinned,
            versions,
            served_before: plugin.served_before.clone(),
            failed,
            tools: plugin.tools.clone(),
            health,
            steps: plugin.steps.clone(),
            recording: plugin.recording.clone(),
            promotion: plugin.promotion,
            rollout: plugin.rollout.clone(),
            revision,
        })
    }
}
