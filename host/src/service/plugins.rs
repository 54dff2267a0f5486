//! What administrators do with plugins: install, activate, roll back, switch off, remove.
//!
//! Every change is one revision. A component is made ready before a revision names it, so a fault in it shows while the
//! version that serves goes on serving. A version that does not take the present settings does not serve.

pub(in crate::service) mod bundles;
pub(in crate::service) mod connectors;
pub(in crate::service) mod gate;
pub(in crate::service) mod grants;
pub(in crate::service) mod kinds;
pub(in crate::service) mod rollout;
pub(in crate::service) mod secrets;
pub(in crate::service) mod settings;
pub(in crate::service) mod steps;
pub(in crate::service) mod tools;
pub(in crate::service) mod trust;

pub(in crate::service) mod comparison;
mod duties;
mod error;
mod fit;
mod migrated;
mod quota;
mod settle;
mod shipped;
mod view;

pub use super::runtime::serving::ServingState;
pub use error::PluginError;
pub use fit::{SettingsPlace, SettingsProblem, UnfitSettings};
pub use migrated::{Migrated, MigratedSettings, SettingsChange};
pub use settle::Settling;
pub use view::{ActivatedPlugin, Decided, Installed, PluginView, RolledBackPlugin, VersionView};

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use crate::domain::access::Caller;
use crate::domain::revision::Author;
use crate::domain::{
    Capabilities, Digest, Duties, Item, Kind, Plugin, PluginVersion, Revision, RolledBack, Rollout, RolloutStage, State,
};
use crate::plugin::{LoadError, Loader, Manifest, Provides, Signatures};
use crate::store::{self, Change, Component, Expect, Layer, Lost, Snapshot};

use self::gate::{Gatekeeper, Gatekeeping};
use super::runtime::platform;
use super::runtime::platform::Platform;
use super::{Error, PluginSource, Service};

pub(super) use fit::{Draft, Reader};
pub(super) use settle::{Also, Settled, migrate_unfit};

/// How to install or activate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Activation {
    /// Whether the version serves afterwards.
    pub activate: bool,
    /// Whether it may be of another major version than the one that serves.
    pub accept_major: bool,
    /// Whether it serves past the gate, whatever recorded answers it would change.
    pub past_gate: bool,
    /// Whether it serves although present settings do not fit it.
    pub anyway: bool,
}

impl Service {
    /// Installs a component: checks whether the environment takes it at all, reads it, compiles it, tries to start it,
    /// and lets it serve if `how` says so.
    ///
    /// A version that is there already with the same component is not installed again. Whatever is wrong, the version
    /// that serves goes on serving, also until an administrator decides about the capabilities that the new one asks
    /// for. `caller` needs the privilege for settings that are migrated.
    pub fn install_plugin(
        &self,
        caller: &Caller,
        bytes: &[u8],
        how: Activation,
        author: &Author,
    ) -> Result<Installed, Error> {
        let platform = self.platform()?;
        let (identity, signatures) = Loader::identify(bytes).map_err(|error| self.remember(bytes, error, author))?;
        let digest = Loader::digest(bytes);
        let snapshot = self.store.snapshot()?;
        let trusted = self.may_be_brought(&snapshot, &identity.publisher, &digest, &signatures);
        trusted.map_err(|error| self.remember(bytes, error.into(), author))?;
        let manifest = Loader::inspect(bytes).map_err(|error| self.remember(bytes, error, author))?;
        let (name, version) = (identity.full_name(), identity.version);
        let new = NewVersion { manifest: &manifest, digest: &digest, signatures: &signatures };
        // Refuses before the component is compiled, as far as that can be known.
        let WithVersion { plugin, expect, .. } = self.with_version(&snapshot, &new, how)?;
        let change = Change::Put { name: name.as_str().into(), item: plugin.into(), expect };
        self.must_have_room(&snapshot, &[change], &[(&digest, bytes.len())])?;
        // Held until it is in the store, so that the gate can compare it before it serves.
        let _ready = platform.prepare(bytes).map_err(|error| self.remember(bytes, error, author))?;
        let component = platform::component_of(&manifest, &digest, bytes);
        let (left, migrated) = (RefCell::new(None), RefCell::new(Migrated::default()));
        let gatekeeping = Gatekeeping { past_gate: how.past_gate, ..Gatekeeping::default() };
        let (gate, author) = (Gatekeeper::new(gatekeeping), &gatekeeping.said_by(author));
        let install = |how: Activation| {
            self.change_plugins(
                |service, snapshot| {
                    if how.activate
                        && let Ok(there) = item(snapshot, &name)
                    {
                        let mut plugin = there.clone();
                        plugin.versions.insert(version, digest.clone());
                        gate.check(service, snapshot, &name, &plugin, version)?;
                    }
                    let WithVersion { mut plugin, expect, needs } = service.with_version(snapshot, &new, how)?;
                    let mut draft = Draft::new(snapshot);
                    let settled = if how.activate && needs.is_none() {
                        let settling = Settling { caller, anyway: how.anyway };
                        service.settle_settings(&mut draft, &name, &mut plugin, &manifest, settling)?
                    } else {
                        Settled::default()
                    };
                    left.replace(needs);
                    migrated.replace(settled.migrated.clone());
                    let change = Change::Put { name: name.as_str().into(), item: plugin.into(), expect };
                    let changes = draft.into_changes().into_iter().chain([change]).collect();
                    Ok(Proposed { changes, components: vec![component.clone()], settled })
                },
                author,
            )
        };
        match install(how) {
            // The version is installed all the same, to be looked at and to be activated later with the options that
            // are meant.
            Err(Error::Plugin(
                refused @ (PluginError::Unexpected(_)
                | PluginError::TooFewRecordings { .. }
                | PluginError::UnfitSettings { .. }),
            )) => {
                install(Activation { activate: false, ..how })?;
                return Err(PluginError::Held { name, version, refused: refused.into() }.into());
            }
            done => done?,
        };
        let (plugin, needs) = (self.plugin(&name)?, left.take());
        let activated = plugin.state.is_active() && plugin.version == Some(version);
        let is_off = how.activate && !plugin.state.is_active();
        let off = is_off.then(|| {
            format!("plugin `{name}` is switched off: switch it on with `PUT /api/v1/plugins/{name}/state`, and {version} serves")
        });
        let waits = |needs: Capabilities| PluginError::NeedsGrant { name, version, needs: needs.into() }.to_string();
        let why = needs.clone().map(waits).or(off);
        Ok(Installed { plugin, activated, needs, migrated: migrated.into_inner(), why })
    }

    /// Activates an installed version.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is something an administrator says, and there is no noun for all of them"
    )]
    pub fn activate_plugin(
        &self,
        name: &str,
        expect: Expect,
        version: PluginVersion,
        accept_major: bool,
        gatekeeping: Gatekeeping<'_>,
        settling: Settling<'_>,
        author: &Author,
    ) -> Result<ActivatedPlugin, Error> {
        let (gate, migrated) = (Gatekeeper::new(gatekeeping), RefCell::new(Migrated::default()));
        let plugin = self.change_plugin(name, expect, &gatekeeping.said_by(author), |service, snapshot, plugin| {
            let digest = wanted_version(name, plugin, version)?.clone();
            service.must_be_trusted(snapshot, name, version, &digest)?;
            let manifest = service.manifest(name, version, &digest)?;
            service.may_serve(snapshot, name, plugin, &manifest, accept_major)?;
            if let Some(needs) =
                service.settle_grant(snapshot, name, plugin, (&digest, None), &manifest.capabilities)?
            {
                return Err(PluginError::NeedsGrant { name: name.to_owned(), version, needs: needs.into() }.into());
            }
            gate.check(service, snapshot, name, plugin, version)?;
            service.hand_over(plugin, &manifest)?;
            let mut draft = Draft::new(snapshot);
            let mut settled = service.settle_settings(&mut draft, name, plugin, &manifest, settling)?;
            plugin.activate(version);
            if !plugin.state.is_active() {
                settled.take_in(service.trial_may_wake(snapshot, name, plugin, settling.anyway)?);
            }
            plugin.state = State::Active;
            plugin.pinned = true;
            migrated.replace(settled.migrated.clone());
            Ok(Also { changes: draft.into_changes(), settled })
        })?;
        Ok(ActivatedPlugin { plugin, migrated: migrated.into_inner() })
    }

    /// Activates the version that served before, with its former settings where they were not changed since. While a
    /// version is on trial, ends the trial instead.
    pub fn roll_back_plugin(
        &self,
        name: &str,
        expect: Expect,
        settling: Settling<'_>,
        author: &Author,
    ) -> Result<RolledBackPlugin, Error> {
        let (done, migrated) = (Cell::new(RolledBack::Version), RefCell::new(Migrated::default()));
        let plugin = self.change_plugin(name, expect, author, |service, snapshot, plugin| {
            done.set(plugin.roll_back().ok_or_else(|| PluginError::NothingBefore(name.to_owned()))?);
            let Some(version) = plugin.active.filter(|_| done.get() == RolledBack::Version) else {
                return Ok(Also::default());
            };
            plugin.pinned = true;
            let digest = version_of(name, plugin, version)?.clone();
            service.must_be_trusted(snapshot, name, version, &digest)?;
            // It served once, and may not be ready any more: then it is refused, and the version that serves goes on.
            let manifest = service.manifest(name, version, &digest)?;
            plugin.answers_for.subtract(&manifest.duties(&plugin.steps));
            if let Some(needs) = plugin.settle_grant(&digest, &manifest.capabilities, None) {
                return Err(PluginError::NeedsGrant { name: name.to_owned(), version, needs: needs.into() }.into());
            }
            service.may_serve(snapshot, name, plugin, &manifest, true)?;
            let mut draft = Draft::new(snapshot);
            let settled = service.settle_settings(&mut draft, name, plugin, &manifest, settling)?;
            migrated.replace(settled.migrated.clone());
            Ok(Also { changes: draft.into_changes(), settled })
        })?;
        Ok(RolledBackPlugin { plugin, rolled_back: done.get(), migrated: migrated.into_inner() })
    }

    /// Switches a plugin on or off. It is switched on if settings fit it as they are, or `anyway`. Once it is off, the
    /// tools of the kinds it answers for are hidden, unless `fall_back` leaves them to what else decides about them: a
    /// rule that came with the product, or the rule without its steps.
    pub fn switch_plugin(
        &self,
        name: &str,
        expect: Expect,
        state: State,
        fall_back: bool,
        anyway: bool,
        author: &Author,
    ) -> Result<PluginView, Error> {
        self.change_plugin(name, expect, author, |service, snapshot, plugin| {
            let chosen = plugin.active.and_then(|version| plugin.versions.get(&version)).cloned();
            let duties = chosen.map_or(Ok(Duties::default()), |digest| service.duties_of(plugin, &digest))?;
            if fall_back {
                plugin.answers_for = Duties::default();
            } else if state.is_active() {
                plugin.answers_for.subtract(&duties);
            } else {
                plugin.answers_for.add(duties);
            }
            let mut settled = Settled::default();
            if state.is_active()
                && !plugin.state.is_active()
                && let Some(version) = plugin.active
            {
                let digest = version_of(name, plugin, version)?.clone();
                service.must_be_trusted(snapshot, name, version, &digest)?;
                let manifest = service.manifest(name, version, &digest)?;
                service.may_serve(snapshot, name, plugin, &manifest, true)?;
                settled = service.settings_must_fit(snapshot, name, plugin, &manifest, anyway)?;
                settled.take_in(service.trial_may_wake(snapshot, name, plugin, anyway)?);
            }
            plugin.state = state;
            Ok(Also { settled, ..Also::default() })
        })
    }

    /// Refuses to switch a plugin on with a version on trial that the environment does not want any more, or that would
    /// answer people and does not take their settings.
    fn trial_may_wake(&self, snapshot: &Snapshot, name: &str, plugin: &Plugin, anyway: bool) -> Result<Settled, Error> {
        let running = plugin.rollout.as_ref().filter(|rollout| rollout.stopped.is_none());
        let Some(Rollout { version, to, .. }) = running else { return Ok(Settled::default()) };
        let digest = version_of(name, plugin, *version)?;
        let may = self.must_be_trusted(snapshot, name, *version, digest).and_then(|()| {
            if *to == RolloutStage::Shadow {
                return Ok(Settled::default());
            }
            let manifest = self.manifest(name, *version, digest)?;
            self.settings_must_fit(snapshot, name, plugin, &manifest, anyway)
        });
        may.map_err(|error| match error {
            Error::Plugin(refused) => PluginError::OnTrial(refused.into()).into(),
            error => error,
        })
    }

    /// Removes a version that does not serve. Questions about old revisions can still call it.
    pub fn remove_plugin_version(
        &self,
        name: &str,
        expect: Expect,
        version: PluginVersion,
        author: &Author,
    ) -> Result<PluginView, Error> {
        self.change_plugin(name, expect, author, |_, _, plugin| {
            version_of(name, plugin, version)?;
            if plugin.active == Some(version) {
                return Err(PluginError::Serves { name: name.to_owned(), version }.into());
            }
            plugin.remove(version);
            Ok(())
        })
    }

    /// Removes a plugin, with all its versions, the decisions about its steps, and the reasons why versions could not
    /// be installed. If tools would be shown without it that it may have hidden, it is removed only with `fall_back`.
    pub fn remove_plugin(
        &self,
        name: &str,
        expect: Expect,
        fall_back: bool,
        author: &Author,
    ) -> Result<Revision, Error> {
        if !self.has_plugin(name)? && self.store.forget_failures(name)? {
            return Ok(self.store.newest()?);
        }
        let removed = self.change_plugins(
            |service, snapshot| {
                let entry = entry(snapshot, name)?;
                if entry.layer == Layer::OutOfTheBox {
                    return Err(PluginError::Shipped(name.to_owned()).into());
                }
                must_be(expect, name, entry)?;
                if !fall_back {
                    service.may_be_forgotten(snapshot, name, item(snapshot, name)?)?;
                }
                let expect = Expect::Revision(entry.revision);
                Ok((
                    vec![Change::Delete { kind: Kind::Plugin, name: name.into(), expect, force: false }],
                    Vec::<Component>::new(),
                ))
            },
            author,
        )?;
        self.store.forget_failures(name)?;
        Ok(removed)
    }

    /// Tries again to make plugins ready that could not be for the time being, if their pause is over. Returns whether
    /// there is a new catalog.
    pub fn retry_plugins(&self) -> Result<bool, Error> {
        let PluginSource::Installed(platform) = &self.machinery else { return Ok(false) };
        Ok(platform.retry(&self.store, std::time::Instant::now())?)
    }

    /// Returns the component of a version.
    pub fn plugin_component(&self, name: &str, version: PluginVersion) -> Result<Vec<u8>, Error> {
        let snapshot = self.store.snapshot()?;
        let digest = version_of(name, item(&snapshot, name)?, version)?;
        Ok(self.store.component(digest)?.map_err(|lost| without_component(name, version, lost))?)
    }

    pub(super) fn platform(&self) -> Result<&Platform, Error> {
        match &self.machinery {
            PluginSource::Installed(platform) => Ok(platform),
            PluginSource::Given { .. } => Err(PluginError::Given.into()),
        }
    }

    /// Returns the plugin with one more version. Refuses a version that is not trusted, is there with another
    /// component, or may not serve.
    pub(super) fn with_version(
        &self,
        snapshot: &Snapshot,
        new: &NewVersion<'_>,
        how: Activation,
    ) -> Result<WithVersion, Error> {
        let NewVersion { manifest, digest, signatures } = *new;
        let (name, version) = (manifest.full_name(), manifest.version);
        self.is_trusted(snapshot, &manifest.publisher, digest, signatures)
            .map_err(|error| PluginError::RefusedVersion { name: name.clone(), version, reason: error.into() })?;
        let entry = snapshot.entry(Kind::Plugin, &name);
        let mut plugin = entry.and_then(|entry| Plugin::from_any(&entry.item)).cloned().unwrap_or_default();
        if let Some(there) = plugin.versions.get(&version).filter(|there| *there != digest) {
            let digest = there.clone();
            return Err(PluginError::VersionTaken { name, version, digest }.into());
        }
        plugin.versions.insert(version, digest.clone());
        let mut needs = None;
        if how.activate {
            self.may_serve(snapshot, &name, &plugin, manifest, how.accept_major)?;
            let known = (digest, Some(signatures));
            needs = self.settle_grant(snapshot, &name, &mut plugin, known, &manifest.capabilities)?;
            let is_on = plugin.state.is_active();
            if needs.is_some() && is_on && plugin.active.is_none() {
                // It was installed to serve, so no other plugin serves in its place until the grant is decided.
                plugin.answers_for.add(manifest.duties(&plugin.steps));
            }
            if needs.is_none() {
                if is_on {
                    self.hand_over(&mut plugin, manifest)?;
                }
                plugin.activate(version);
                plugin.pinned = true;
            }
        }
        let expect = entry.map_or(Expect::Absent, |entry| Expect::Revision(entry.revision));
        Ok(WithVersion { plugin, expect, needs })
    }

    /// Refuses a version of another major version without `accept_major`, and one that decides about a tool kind of
    /// another installed plugin.
    fn may_serve(
        &self,
        snapshot: &Snapshot,
        name: &str,
        plugin: &Plugin,
        manifest: &Manifest,
        accept_major: bool,
    ) -> Result<(), Error> {
        let (name, to) = (name.to_owned(), manifest.version);
        if let Some(from) = plugin.active.filter(|from| from.major != to.major && !accept_major) {
            return Err(PluginError::MajorVersion { name, from, to }.into());
        }
        let Provides::ToolRule { kinds, .. } = &manifest.provides else { return Ok(()) };
        let catalog = self.platform()?.catalog(&self.store, snapshot)?;
        // A plugin that came with the product gives way; one that an administrator installed does not.
        let is_rival = |other: &str| {
            other != name && snapshot.entry(Kind::Plugin, other).is_some_and(|entry| entry.layer == Layer::Custom)
        };
        let ready = catalog.plugins().iter().map(|info| (info.full_name(), info.kinds.iter().collect()));
        // A plugin that should serve and cannot be made ready keeps its kinds.
        let missing = catalog.missing().iter().map(|missing| (missing.name.clone(), missing.kinds()));
        for (by, taken) in ready.chain(missing).filter(|(other, _): &(String, Vec<&String>)| is_rival(other)) {
            if let Some(kind) = taken.into_iter().find(|kind| kinds.contains(kind)) {
                return Err(PluginError::KindTaken { kind: kind.clone(), by }.into());
            }
        }
        Ok(())
    }

    /// Returns the manifest of a version, which is made ready first: a version that cannot be is refused.
    pub(super) fn manifest(&self, name: &str, version: PluginVersion, digest: &Digest) -> Result<Manifest, Error> {
        Ok(self.ready_version(name, version, digest)?.manifest().clone())
    }

    /// Returns the manifests of the versions of a plugin: first that of the activated version, then the others, the
    /// newest first. Leaves out versions whose component is gone.
    pub(super) fn manifests<'a>(
        &'a self,
        plugin: &'a Plugin,
    ) -> impl Iterator<Item = Result<(PluginVersion, &'a Digest, Manifest), Error>> {
        let active = plugin.active.into_iter();
        let order = active.chain(plugin.versions.keys().rev().copied().filter(|it| plugin.active != Some(*it)));
        order.filter_map(|version| {
            let digest = plugin.versions.get(&version)?;
            let said = self.platform().and_then(|platform| Ok(platform.manifest(&self.store, digest)?));
            said.transpose().map(|said| Ok((version, digest, said?)))
        })
    }

    /// Returns the error that refuses a component, and keeps the reason.
    fn remember(&self, bytes: &[u8], reason: LoadError, author: &Author) -> Error {
        match self.keep_failure(bytes, &reason, author) {
            Some((name, version)) => PluginError::RefusedVersion { name, version, reason }.into(),
            None => PluginError::Refused(reason).into(),
        }
    }

    /// Keeps the reason why a version cannot be used, if its name and version can be read and trying again would not
    /// help.
    pub(super) fn keep_failure(
        &self,
        bytes: &[u8],
        reason: &LoadError,
        author: &Author,
    ) -> Option<(String, PluginVersion)> {
        let identified = Loader::identity(bytes).ok().filter(|_| !matches!(reason, LoadError::Unavailable(_)));
        let identity = identified?;
        let (name, version) = (identity.full_name(), identity.version);
        let kept = self.store.keep_failure(&name, version, &Loader::digest(bytes), &reason.to_string(), author);
        if let Err(error) = kept {
            tracing::error!(%error, "why `{name}` {version} is refused could not be kept");
        }
        Some((name, version))
    }

    /// Changes one plugin that is as its author expects. Does so again over the new revision if another change was
    /// written in between.
    pub(super) fn change_plugin<A: Into<Also>>(
        &self,
        name: &str,
        expect: Expect,
        author: &Author,
        change: impl Fn(&Self, &Arc<Snapshot>, &mut Plugin) -> Result<A, Error>,
    ) -> Result<PluginView, Error> {
        self.change_plugins(
            |service, snapshot| {
                let entry = entry(snapshot, name)?;
                must_be(expect, name, entry)?;
                let expect = Expect::Revision(entry.revision);
                let mut plugin = item(snapshot, name)?.clone();
                let Also { mut changes, settled } = change(service, snapshot, &mut plugin)?.into();
                changes.push(Change::Put { name: name.into(), item: plugin.into(), expect });
                Ok(Proposed { changes, components: Vec::new(), settled })
            },
            author,
        )?;
        self.plugin(name)
    }

    /// Writes what `changes` returns, over the revision it was given. Calls it again if another change was written in
    /// between.
    pub(super) fn change_plugins<P: Into<Proposed>>(
        &self,
        changes: impl Fn(&Self, &Arc<Snapshot>) -> Result<P, Error>,
        author: &Author,
    ) -> Result<Revision, Error> {
        self.store.racing(Error::is_moved, || {
            let snapshot = self.store.snapshot()?;
            let Proposed { changes, components, settled } = changes(self, &snapshot)?.into();
            let sizes: Vec<_> = components.iter().map(|it| (&it.digest, it.bytes.len())).collect();
            self.must_have_room(&snapshot, &changes, &sizes)?;
            let (changes, author) = (platform::change(snapshot.revision(), changes), settled.said_by(author));
            let done = self.store.install(&components, changes, &author)?;
            self.tidy_plugins();
            Ok(done.revision)
        })
    }
}

/// The writes of a change of plugins.
#[derive(Default)]
pub(super) struct Proposed {
    pub(super) changes: Vec<Change>,
    pub(super) components: Vec<Component>,
    /// The outcome for settings.
    pub(super) settled: Settled,
}

impl From<(Vec<Change>, Vec<Component>)> for Proposed {
    fn from((changes, components): (Vec<Change>, Vec<Component>)) -> Self {
        Self { changes, components, settled: Settled::default() }
    }
}

/// A version that is about to be installed, with its manifest and signatures.
pub(super) struct NewVersion<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) digest: &'a Digest,
    pub(super) signatures: &'a Signatures,
}

/// A plugin with one more version.
pub(super) struct WithVersion {
    pub(super) plugin: Plugin,
    /// The revision that the change must be over.
    pub(super) expect: Expect,
    /// The capabilities that an administrator has to decide about before the version can serve.
    pub(super) needs: Option<Capabilities>,
}

fn entry<'a>(snapshot: &'a Snapshot, name: &str) -> Result<&'a store::Entry, PluginError> {
    snapshot.entry(Kind::Plugin, name).ok_or_else(|| PluginError::NoSuchPlugin(name.to_owned()))
}

/// Refuses a change of a plugin that is not as the author of the change expects.
fn must_be(expect: Expect, name: &str, entry: &store::Entry) -> Result<(), store::Error> {
    let (kind, name, current) = (Kind::Plugin, name.to_owned(), entry.revision);
    match expect {
        Expect::Revision(seen) if seen != current => Err(store::Error::Stale { kind, name, seen, current }),
        Expect::Absent => Err(store::Error::Exists { kind, name }),
        Expect::Revision(_) | Expect::Present | Expect::Anything => Ok(()),
    }
}

/// Returns the revision that wrote a plugin.
pub(super) fn written(snapshot: &Snapshot, name: &str) -> Result<Revision, PluginError> {
    Ok(entry(snapshot, name)?.revision)
}

pub(super) fn item<'a>(snapshot: &'a Snapshot, name: &str) -> Result<&'a Plugin, PluginError> {
    Plugin::from_any(&entry(snapshot, name)?.item).ok_or_else(|| PluginError::NoSuchPlugin(name.to_owned()))
}

/// Returns the component of a version that a URL names.
pub(super) fn version_of<'a>(
    name: &str,
    plugin: &'a Plugin,
    version: PluginVersion,
) -> Result<&'a Digest, PluginError> {
    let missing = || PluginError::NoSuchVersion { name: name.to_owned(), version, known: versions(plugin) };
    plugin.versions.get(&version).ok_or_else(missing)
}

/// Returns the component of a version that a request body names: a reference that must lead to an installed version.
pub(super) fn wanted_version<'a>(
    name: &str,
    plugin: &'a Plugin,
    version: PluginVersion,
) -> Result<&'a Digest, PluginError> {
    let missing = || PluginError::VersionNotInstalled { name: name.to_owned(), version, known: versions(plugin) };
    plugin.versions.get(&version).ok_or_else(missing)
}

fn versions(plugin: &Plugin) -> Vec<String> {
    plugin.versions.keys().map(ToString::to_string).collect()
}

/// Returns the error for a version whose component is lost.
pub(super) fn without_component(name: &str, version: PluginVersion, lost: Lost) -> PluginError {
    let reason = LoadError::Unavailable(format!("{lost}: install it again"));
    PluginError::RefusedVersion { name: name.to_owned(), version, reason }
}
