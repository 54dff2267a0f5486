//! A plugin that is being written, on a host: brought there for one person, and taken away again.
//!
//! A rule is tried for the chosen person alone, beside the version that serves everybody else. What cannot be tried beside another version
//! serves everybody meanwhile, and what served before serves again afterwards. Versions that are brought have numbers of their own, so that
//! they are known for what they are.

use serde_json::{Value, json};

use crate::cli::failure::Failure;
use crate::domain::PluginVersion;
use crate::plugin::{Manifest, Provides};

use super::super::remote::Session;

/// The first number of a version that is brought, in place of its last number.
const FIRST: u32 = 900_000_000;

/// How many of its calls may break before the host stops a version.
const PATIENCE: u32 = 1_000;

/// A plugin on a host.
pub(super) struct Deployment<'a> {
    host: &'a Session,
    /// Where the host has the plugin.
    address: String,
    user: &'a str,
    /// Whether it is tried beside the version that serves.
    beside: bool,
    /// The version that served before; nothing if the plugin was not there.
    served: Option<PluginVersion>,
    /// The version that is there now.
    brought: Option<PluginVersion>,
    next: u32,
}

impl<'a> Deployment<'a> {
    /// Looks at what the host has. What an earlier one left behind is taken away.
    pub(super) fn begin(host: &'a Session, manifest: &Manifest, user: &'a str) -> Result<Self, Failure> {
        let address = format!("/api/v1/plugins/{}", manifest.full_name());
        let there = host.find(&address)?.unwrap_or_default();
        let versions = versions(&there);
        let is_tool = matches!(manifest.provides, Provides::Tool { .. });
        let next = versions.iter().map(|version| version.patch.saturating_add(1)).fold(FIRST, u32::max);
        let mut begun = Self { host, address, user, beside: false, served: None, brought: None, next };
        let on_trial = there["rollout"]["version"].as_str().and_then(|it| it.parse::<PluginVersion>().ok());
        if let Some(version) = on_trial.filter(|version| !is_brought(version)) {
            return Err(Failure::found(format!(
                "version {version} of plugin `{}` is on trial on this host: end that first",
                manifest.full_name()
            )));
        }
        let serving = version_of(&there["version"]);
        let before = list(&there["servedBefore"]).filter_map(version_of);
        begun.served = before.chain(serving).filter(|version| !is_brought(version)).last();
        if begun.served.is_none() && versions.iter().any(|version| !is_brought(version)) {
            return Err(Failure::found(format!(
                "no version of plugin `{}` serves on this host: activate one first",
                manifest.full_name()
            )));
        }
        begun.beside = is_tool && begun.served.is_some();
        for version in versions.into_iter().filter(is_brought) {
            begun.brought = Some(version);
            begun.take_away()?;
            if begun.served.is_none() {
                // With that the whole plugin is gone.
                break;
            }
        }
        Ok(begun)
    }

    /// A number for the next version.
    pub(super) fn number(&mut self, version: PluginVersion) -> PluginVersion {
        let patch = self.next;
        self.next = self.next.saturating_add(1);
        PluginVersion { patch, ..version }
    }

    /// Brings a component that says it is `version`, in place of the one that is there.
    pub(super) fn bring(&mut self, version: PluginVersion, component: &[u8]) -> Result<String, Failure> {
        if !self.beside {
            let installed = self.host.send_component("/api/v1/plugins?acceptMajor=true", component)?;
            let old = self.brought.replace(version);
            if let Some(why) = installed["why"].as_str() {
                return Err(Failure::found(why));
            }
            self.forget(old)?;
            return Ok("for everybody on this host, until this ends".to_owned());
        }
        self.host.send_component("/api/v1/plugins?activate=false", component)?;
        let rollout = json!({ "version": version, "to": "group", "users": [self.user], "stopAfter": PATIENCE });
        let tried = self.host.put(&format!("{}/rollout", self.address), &json!({ "rollout": rollout }));
        if let Err(failure) = tried {
            // The refusal of the host is what matters; what is left behind goes with the next start.
            let _ = self.forget(Some(version));
            return Err(failure);
        }
        let old = self.brought.replace(version);
        self.forget(old)?;
        let served = self.served.map_or_else(String::new, |served| served.to_string());
        Ok(format!("for `{}` alone; {served} serves everybody else", self.user))
    }

    /// Takes away what was brought: what served before serves again.
    pub(super) fn take_away(&mut self) -> Result<(), Failure> {
        let Some(version) = self.brought.take() else { return Ok(()) };
        let Some(served) = self.served else {
            return self.host.delete(&self.address).map(drop);
        };
        let serving = self.host.get(&self.address)?["version"].clone();
        if version_of(&serving) == Some(version) {
            self.host
                .post(&format!("{}/activate", self.address), &json!({ "version": served, "acceptMajor": true }))?;
        }
        self.forget(Some(version))
    }

    fn forget(&self, version: Option<PluginVersion>) -> Result<(), Failure> {
        let Some(version) = version else { return Ok(()) };
        self.host.delete(&format!("{}/versions/{version}", self.address)).map(drop)
    }
}

fn versions(plugin: &Value) -> Vec<PluginVersion> {
    list(&plugin["versions"]).filter_map(|it| version_of(&it["version"])).collect()
}

fn is_brought(version: &PluginVersion) -> bool {
    version.patch >= FIRST
}

fn version_of(value: &Value) -> Option<PluginVersion> {
    value.as_str()?.parse().ok()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
