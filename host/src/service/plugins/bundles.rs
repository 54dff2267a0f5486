//! Offline bundles: plugins packed for another environment, and installed there without a network.
//!
//! Every component of a bundle is checked like one that is uploaded. All of them are installed as one revision, or
//! none.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::Serialize;

use crate::bundle::{Bundle, Bundled};
use crate::domain::access::{Caller, Privilege};
use crate::domain::revision::Author;
use crate::domain::{Capabilities, Digest, Item, Kind, Plugin, PluginVersion, Revision, State, StepOverride};
use crate::plugin::{LoadError, Loader, Manifest, Provides, Ready, SettingsSchema, Signatures};
use crate::store;
use crate::store::{Change, Component, Layer, Lost, Snapshot};

use super::gate::{Gatekeeper, Gatekeeping};
use super::settings;
use super::trust::SignerView;
use super::{
    Activation, Draft, Migrated, NewVersion, Proposed, Settled, Settling, WithVersion, item, version_of,
    without_component,
};
use crate::service::runtime::platform;
use crate::service::{Error, PluginError, Service};

/// The outcome of the installation of a bundle, or of its dry run.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = InstalledBundle)]
pub struct InstalledBundle {
    /// Whether nothing was written.
    pub dry_run: bool,
    /// The newest revision; of a dry run, the one that it would be.
    pub revision: Revision,
    /// The outcome for each component, by plugin.
    pub components: Vec<InstalledComponent>,
}

/// The outcome for a component of a bundle.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = InstalledComponent)]
pub struct InstalledComponent {
    /// The plugin, as `publisher/name`.
    pub plugin: String,
    /// The version.
    pub version: PluginVersion,
    /// The SHA-256 of the component, in hexadecimal.
    pub digest: Digest,
    /// Whether the version was not there before.
    pub installed: bool,
    /// Whether it serves now.
    pub serves: bool,
    /// Who signed the component.
    pub signed_by: Vec<SignerView>,
    /// The capabilities that an administrator has to decide about before the version can serve: no bundle grants
    /// anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needs: Option<Capabilities>,
    /// The steps whose decisions were taken from the bundle, because no administrator had decided about them here.
    pub steps: Vec<String>,
    /// The settings that are changed with the version.
    #[serde(skip_serializing_if = "Migrated::is_empty")]
    #[schema(required = false)]
    pub migrated: Migrated,
}

/// How to install a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BundleOptions {
    /// Whether versions that served where the bundle comes from serve here, too; and whether they may be of another
    /// major version.
    pub activation: Activation,
    /// Whether nothing is written.
    pub dry_run: bool,
}

/// A component of a bundle, with its manifest and signatures.
struct Checked {
    bundled: Bundled,
    manifest: Manifest,
    signatures: Signatures,
    bytes: Vec<u8>,
}

impl Service {
    /// Packs the plugins called `names`, or all that did not come with the product: of each the version that serves, or
    /// would if the plugin were active, or else the newest.
    pub fn bundle(&self, names: &[String]) -> Result<Vec<u8>, Error> {
        let snapshot = self.store.snapshot()?;
        let custom = snapshot.entries(Kind::Plugin).filter(|(_, entry)| entry.layer == Layer::Custom);
        let mut names: Vec<String> =
            if names.is_empty() { custom.map(|(name, _)| name.to_string()).collect() } else { names.to_vec() };
        names.sort();
        names.dedup();
        let mut wanted = Vec::new();
        for name in names {
            let plugin = item(&snapshot, &name)?;
            let version = plugin.active.or(plugin.versions.keys().next_back().copied());
            wanted.extend(version.map(|version| (name, version)));
        }
        self.bundle_of(&snapshot, &wanted)
    }

    /// Packs one version of a plugin.
    pub fn bundle_version(&self, name: &str, version: PluginVersion) -> Result<Vec<u8>, Error> {
        self.bundle_of(&*self.store.snapshot()?, &[(name.to_owned(), version)])
    }

    fn bundle_of(&self, snapshot: &Snapshot, wanted: &[(String, PluginVersion)]) -> Result<Vec<u8>, Error> {
        let sizes: HashMap<Digest, u64> = self.store.component_sizes()?.into_iter().collect();
        let mut named = Vec::with_capacity(wanted.len());
        for (name, version) in wanted {
            let plugin = item(snapshot, name)?;
            let digest = version_of(name, plugin, *version)?;
            let size = sizes.get(digest).copied().ok_or_else(|| without_component(name, *version, Lost::Gone))?;
            named.push((name, *version, plugin, digest, size));
        }
        // The sizes are checked before a component is read.
        Bundle::check(named.iter().map(|(.., size)| *size))?;
        let mut plugins = Vec::with_capacity(named.len());
        for (name, version, plugin, digest, size) in named {
            // Decisions about steps of other versions are not packed.
            let manifest = self.platform()?.manifest(&self.store, digest)?;
            let steps = plugin.steps.iter().filter(|(step, _)| manifest.as_ref().is_some_and(|it| it.has_step(step)));
            let signers = self.signers(snapshot, name, digest)?;
            plugins.push(Bundled {
                plugin: name.clone(),
                version,
                digest: digest.clone(),
                size,
                signers: signers.iter().map(|signer| signer.key_id.to_string()).collect(),
                served: plugin.serving().is_some_and(|(serving, _)| serving == version),
                steps: steps.map(|(step, wanted)| (step.clone(), wanted.clone())).collect(),
            });
        }
        Bundle::pack(plugins, |Bundled { plugin, version, digest, .. }| {
            let component = self.store.component(digest)?;
            Ok(component.map_err(|lost| without_component(plugin, *version, lost))?)
        })
    }

    /// Installs every plugin of the bundle in `zip` as one revision, or none. A dry run only says what that would do.
    ///
    /// Decisions about steps are taken over where there is none here, and only for a caller who may decide about steps.
    /// The reason why a component is refused is kept, except in a dry run.
    pub fn install_bundle(
        &self,
        caller: &Caller,
        zip: &[u8],
        options: BundleOptions,
        author: &Author,
    ) -> Result<InstalledBundle, Error> {
        let remember = |bytes: &[u8], reason: &LoadError| {
            if !options.dry_run {
                self.keep_failure(bytes, reason, author);
            }
        };
        let checked = self.checked(Bundle::read(zip)?, remember)?;
        // The components made ready are held until they are in the store, so that the gate can compare them before they
        // serve.
        let propose = |service: &Self, snapshot: &Snapshot, held: &[Arc<Ready>]| {
            service.bundled_changes(snapshot, caller, &checked, held, options.activation)
        };
        // Refuses before a component is compiled, as far as that can be known.
        let snapshot = self.store.snapshot()?;
        let (proposed, _) = propose(self, &snapshot, &[]).inspect_err(|error| {
            if let Error::Plugin(PluginError::RefusedVersion { name, reason, .. }) = error
                && let Some(refused) = checked.iter().find(|checked| checked.bundled.plugin == *name)
            {
                remember(&refused.bytes, reason);
            }
        })?;
        let sizes: Vec<_> = checked.iter().map(|it| (&it.bundled.digest, it.bytes.len())).collect();
        self.must_have_room(&snapshot, &proposed.changes, &sizes)?;
        let mut held = Vec::new();
        for Checked { manifest, bytes, .. } in &checked {
            let (name, version) = (manifest.full_name(), manifest.version);
            let ready = self.platform()?.prepare(bytes).inspect_err(|reason| remember(bytes, reason));
            held.push(ready.map_err(|reason| PluginError::RefusedVersion { name, version, reason })?);
        }
        let gatekeeping = Gatekeeping { past_gate: options.activation.past_gate, ..Gatekeeping::default() };
        let gates: Vec<Gatekeeper<'_>> = checked.iter().map(|_| Gatekeeper::new(gatekeeping)).collect();
        if options.dry_run {
            let snapshot = self.store.snapshot()?;
            self.bundle_must_be_promotable(&snapshot, &checked, options.activation, &gates)?;
            let (Proposed { changes, .. }, components) = propose(self, &snapshot, &held)?;
            let done = self.store.rehearse(platform::change(snapshot.revision(), changes), author)?;
            return Ok(InstalledBundle { dry_run: true, revision: done.revision, components });
        }
        let report = std::cell::RefCell::new(Vec::new());
        let revision = self.change_plugins(
            |service, snapshot| {
                service.bundle_must_be_promotable(snapshot, &checked, options.activation, &gates)?;
                let (proposed, components) = propose(service, snapshot, &held)?;
                report.replace(components);
                Ok(Proposed { components: checked.iter().map(Checked::component).collect(), ..proposed })
            },
            &gatekeeping.said_by(author),
        )?;
        Ok(InstalledBundle { dry_run: false, revision, components: report.into_inner() })
    }

    /// Checks each component as far as that is possible without compiling it, and reads no manifest before all are
    /// known to be taken. Gives each refusal to `remember`.
    fn checked(&self, bundle: Bundle, remember: impl Fn(&[u8], &LoadError)) -> Result<Vec<Checked>, Error> {
        self.platform()?;
        let snapshot = self.store.snapshot()?;
        let Bundle { plugins, mut components } = bundle;
        let mut wanted = Vec::with_capacity(plugins.len());
        for bundled in plugins {
            let (name, version) = (bundled.plugin.clone(), bundled.version);
            // A component names one plugin, so two plugins never share one.
            let mislabelled = || PluginError::Mislabelled { name: name.clone(), version };
            let bytes = components.remove(&bundled.digest).ok_or_else(mislabelled)?;
            let refused = |reason: LoadError| {
                remember(&bytes, &reason);
                PluginError::RefusedVersion { name: name.clone(), version, reason }
            };
            let (identity, signatures) = Loader::identify(&bytes).map_err(refused)?;
            if identity.full_name() != name || identity.version != version {
                return Err(mislabelled().into());
            }
            let trusted = self.may_be_brought(&snapshot, &identity.publisher, &bundled.digest, &signatures);
            trusted.map_err(|error| refused(error.into()))?;
            wanted.push((bundled, signatures, bytes));
        }
        let looked_at = wanted.into_iter().map(|(bundled, signatures, bytes)| {
            let manifest = Loader::inspect(&bytes).map_err(|reason| {
                remember(&bytes, &reason);
                let (name, version) = (bundled.plugin.clone(), bundled.version);
                PluginError::RefusedVersion { name, version, reason }
            })?;
            Ok(Checked { bundled, manifest, signatures, bytes })
        });
        looked_at.collect()
    }

    /// Refuses a bundle with a version that its gate refuses. Each component has a gate of its own.
    fn bundle_must_be_promotable(
        &self,
        snapshot: &Arc<Snapshot>,
        checked: &[Checked],
        how: Activation,
        gates: &[Gatekeeper<'_>],
    ) -> Result<(), Error> {
        let would_serve = checked.iter().zip(gates).filter(|(checked, _)| how.activate && checked.bundled.served);
        for (Checked { bundled, .. }, gate) in would_serve {
            let Bundled { plugin: name, version, digest, .. } = bundled;
            if let Ok(there) = item(snapshot, name) {
                let mut plugin = there.clone();
                plugin.versions.insert(*version, digest.clone());
                gate.check(self, snapshot, name, &plugin, *version)?;
            }
        }
        Ok(())
    }

    /// Returns the changes of a bundle, and the outcome for each component. Decisions about steps are checked against
    /// the schema of a component once it is ready, which is when it is among `held`.
    fn bundled_changes(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        checked: &[Checked],
        held: &[Arc<Ready>],
        how: Activation,
    ) -> Result<(Proposed, Vec<InstalledComponent>), Error> {
        let (mut changes, mut components) = (Vec::new(), Vec::new());
        let (mut draft, mut settled) = (Draft::new(snapshot), Settled::default());
        let mut decided: BTreeMap<&str, String> = BTreeMap::new();
        for Checked { bundled, manifest, signatures, .. } in checked {
            let Bundled { plugin: name, version, digest, served, steps, .. } = bundled;
            let there = snapshot.entry(Kind::Plugin, name).and_then(|entry| Plugin::from_any(&entry.item));
            let activate = how.activate && *served;
            if let (true, Provides::ToolRule { kinds, .. }) = (activate, &manifest.provides) {
                for kind in kinds {
                    if let Some(by) = decided.insert(kind, name.clone()) {
                        return Err(PluginError::KindTaken { kind: kind.clone(), by }.into());
                    }
                }
            }
            let new = NewVersion { manifest, digest, signatures };
            let WithVersion { mut plugin, expect, needs } =
                self.with_version(snapshot, &new, Activation { activate, ..how })?;
            let mut taken = Vec::new();
            let before = manifest.duties(&plugin.steps);
            for (step, wanted) in steps.iter().filter(|(step, _)| !there.is_some_and(|it| it.steps.contains_key(*step)))
            {
                plugin.steps.insert(step.clone(), wanted.clone());
                taken.push(step.clone());
            }
            if !taken.is_empty() && !caller.has(Privilege::PluginConfigure) {
                let privilege = Privilege::PluginConfigure;
                return Err(store::Error::Forbidden { caller: caller.name().to_owned(), privilege }.into());
            }
            if plugin.serving().is_none() && !plugin.answers_for.is_empty() {
                plugin.answers_for.subtract(&before);
                plugin.answers_for.add(manifest.duties(&plugin.steps));
            }
            for step in &taken {
                let ready = held.iter().find(|ready| ready.digest() == digest);
                must_be_possible(manifest, ready.and_then(|ready| ready.settings()), step, &steps[step])?;
            }
            let mut migrated = Migrated::default();
            // The host builds its schema only once the component was made ready.
            let is_ready = held.iter().any(|ready| ready.digest() == digest);
            if activate && needs.is_none() && is_ready {
                let settling = Settling { caller, anyway: how.anyway };
                let of_this = self.settle_settings(&mut draft, name, &mut plugin, manifest, settling)?;
                migrated = of_this.migrated.clone();
                settled.take_in(of_this);
            }
            components.push(InstalledComponent {
                plugin: name.clone(),
                version: *version,
                digest: digest.clone(),
                installed: !there.is_some_and(|it| it.versions.contains_key(version)),
                serves: plugin.state == State::Active && plugin.active == Some(*version),
                signed_by: Self::standings(snapshot, name, signatures),
                needs,
                steps: taken,
                migrated,
            });
            changes.push(Change::Put { name: name.as_str().into(), item: plugin.into(), expect });
        }
        changes.extend(draft.into_changes());
        Ok((Proposed { changes, components: Vec::new(), settled }, components))
    }
}

/// Refuses a decision of a bundle about a step that its component does not have, or whose configuration the schema
/// forbids.
fn must_be_possible(
    manifest: &Manifest,
    schema: Option<&SettingsSchema>,
    step: &str,
    wanted: &StepOverride,
) -> Result<(), PluginError> {
    let name = manifest.full_name();
    if !manifest.has_step(step) {
        let known = manifest.step_names().into_iter().map(str::to_owned).collect();
        let (version, step) = (manifest.version, step.to_owned());
        return Err(PluginError::BundledStep { name, version, step, known });
    }
    let told = wanted.configuration.as_ref();
    let attribute = format!("{name}.steps.{step}.configuration");
    told.map_or(Ok(()), |told| settings::check(&attribute, schema, told))
}

impl Checked {
    fn component(&self) -> Component {
        platform::component_of(&self.manifest, &self.bundled.digest, &self.bytes)
    }
}
