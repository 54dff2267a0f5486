//! The deployment of a plugin in development: brings it to a host for one person, and takes it away again.
//!
//! A rule is tried for the chosen person alone, beside the version that serves all other users. A plugin that cannot be
//! tried beside another version serves all users meanwhile; the earlier version serves again afterwards. Versions that
//! are brought have numbers of their own, from `FIRST` on, by which they are recognised.

use serde_json::{Value, json};

use crate::cli::failure::Failure;
use crate::domain::PluginVersion;
use crate::plugin::{Manifest, Provides};

use super::super::remote::Session;

/// The first number of a version that is brought, in place of its last number.
const FIRST: u32 = 900_000_000;

/// The number of failed calls after which the host stops a version.
const PATIENCE: u32 = 1_000;

/// A plugin on a host.
pub(super) struct Deployment<'a> {
    host: &'a Session,
    /// The path of the plugin in the API of the host.
    address: String,
    user: &'a str,
    /// The version that all other users get, and beside which a rule is tried.
    beside: Option<PluginVersion>,
    /// The versions that were sent and may be there still, whatever the host answered.
    brought: Vec<PluginVersion>,
    next: u32,
}

impl<'a> Deployment<'a> {
    /// Reads what the host has, and takes away what an earlier run left behind.
    pub(super) fn begin(host: &'a Session, manifest: &Manifest, user: &'a str) -> Result<Self, Failure> {
        let name = manifest.full_name();
        let address = format!("/api/v1/plugins/{name}");
        let mut begun = Self { host, address, user, beside: None, brought: Vec::new(), next: FIRST };
        let Some(there) = host.find(&begun.address)? else { return Ok(begun) };
        if let Some(problem) = hindrance(&there, user) {
            return Err(Failure::found(format!("plugin `{name}` cannot be tried on this host: {problem}")));
        }
        let versions = versions(&there);
        begun.next = versions.iter().map(|version| version.patch.saturating_add(1)).fold(FIRST, u32::max);
        begun.beside = served(&there).filter(|_| matches!(manifest.provides, Provides::ToolRule { .. }));
        begun.brought = versions.into_iter().filter(is_brought).collect();
        begun.take_away()?;
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
        // The version may be on the host even if the request fails.
        self.brought.push(version);
        let Some(served) = self.beside else {
            let installed = self.host.send_component("/api/v1/plugins?acceptMajor=true", component)?;
            if let Some(why) = installed["why"].as_str() {
                return Err(Failure::found(why));
            }
            self.forget_all_but(Some(version))?;
            return Ok("for all users of this host, until this ends".to_owned());
        };
        self.host.send_component("/api/v1/plugins?activate=false", component)?;
        let rollout = json!({ "version": version, "to": "group", "users": [self.user], "stopAfter": PATIENCE });
        self.host.put(&format!("{}/rollout", self.address), &json!({ "rollout": rollout }))?;
        self.forget_all_but(Some(version))?;
        Ok(format!("for `{}` alone; {served} serves all other users", self.user))
    }

    /// Takes away the versions that were brought. The earlier version, or one installed meanwhile, serves again.
    pub(super) fn take_away(&mut self) -> Result<(), Failure> {
        if self.brought.is_empty() {
            return Ok(());
        }
        let there = self.host.find(&self.address)?.unwrap_or_default();
        if versions(&there).iter().all(is_brought) {
            self.brought.clear();
            // What was brought to be tried gives way to what was there before.
            return self.host.delete(&format!("{}?fallBack=true", self.address));
        }
        if version_of(&there["version"]).is_some_and(|serving| is_brought(&serving)) {
            let next = served(&there).or_else(|| versions(&there).into_iter().filter(|it| !is_brought(it)).max());
            let next = json!({ "version": next, "acceptMajor": true, "anyway": true });
            self.host.post(&format!("{}/activate", self.address), &next)?;
        }
        self.forget_all_but(None)
    }

    /// Takes away the versions that were brought, but for `kept`. A version that cannot be removed is tried again the
    /// next time.
    fn forget_all_but(&mut self, kept: Option<PluginVersion>) -> Result<(), Failure> {
        while let Some(at) = self.brought.iter().position(|version| Some(*version) != kept) {
            self.host.delete(&format!("{}/versions/{}", self.address, self.brought[at]))?;
            self.brought.remove(at);
        }
        Ok(())
    }
}

/// Returns why a plugin that is on a host must be left alone, if there is a reason.
fn hindrance(there: &Value, user: &str) -> Option<String> {
    if there["state"] == "inactive" {
        return Some("it is switched off; switch it on first".to_owned());
    }
    if let Some(version) = version_of(&there["rollout"]["version"]) {
        if !is_brought(&version) {
            return Some(format!("its version {version} is on trial; end that first"));
        }
        let others = list(&there["rollout"]["users"]).filter_map(Value::as_str).filter(|it| *it != user);
        let others: Vec<&str> = others.collect();
        if !others.is_empty() {
            return Some(format!("it is being tried for `{}` already; end that first", others.join("`, `")));
        }
    }
    let is_there = versions(there).iter().any(|version| !is_brought(version));
    (is_there && served(there).is_none()).then(|| "no version of it serves; activate one first".to_owned())
}

/// The last version that served and was not brought.
fn served(there: &Value) -> Option<PluginVersion> {
    let versions = versions(there);
    let served = list(&there["servedBefore"]).chain([&there["version"]]).filter_map(version_of);
    served.filter(|version| !is_brought(version) && versions.contains(version)).last()
}

fn versions(plugin: &Value) -> Vec<PluginVersion> {
    list(&plugin["versions"]).filter_map(|it| version_of(&it["version"])).collect()
}

/// Returns whether a version has a number that only this module gives.
fn is_brought(version: &PluginVersion) -> bool {
    version.patch >= FIRST
}

fn version_of(value: &Value) -> Option<PluginVersion> {
    value.as_str()?.parse().ok()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
