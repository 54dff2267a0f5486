//! The plugins of an environment at run time: which components answer at which revision.
//!
//! The items of the collection `plugins` in the store say which plugins serve. This module only holds components made
//! ready for them, and the catalog of the newest revision. It makes that catalog anew as soon as another process or
//! this one changes such an item. A question goes on with the catalog it began with.

mod absent;
mod retry;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;

use crate::domain::environment::QuerySettings;
use crate::domain::{Capabilities, Connector, ConnectorName, Digest, Item, Kind, Plugin, Revision};
use crate::plugin::{
    Catalog, Compiler, Config, Connectors, EngineError, LoadError, Loader, Manifest, Ready, Signatures, Trial,
    UnavailablePlugin, Wanted,
};
use crate::store;
use crate::store::{Authority, Change, ChangeSet, Component, Expect, KeptManifest, Layer, Lost, Snapshot, Store};

use retry::Unavailable;

/// The folder of compiled components, within the data folder.
const CACHE: &str = "cache";

/// How plugins are run.
#[derive(Debug)]
pub struct PlatformOptions {
    /// The limits of calls.
    pub config: Config,
    /// The compiler for components that did not come with the program.
    pub compiler: Compiler,
}

impl PlatformOptions {
    /// Returns the usual limits; components are compiled by child processes of this program.
    pub fn of_this_program() -> Self {
        use crate::plugin::ChildCompiler;
        Self { config: Config::default(), compiler: Compiler::Child(ChildCompiler::of_this_program()) }
    }
}

/// The components made ready, and the catalog of the newest revision.
pub(in crate::service) struct Platform {
    loader: Loader,
    compiler: Compiler,
    bundled: Vec<Bundled>,
    /// Components that are ready as long as a catalog or a caller holds them.
    known: Mutex<HashMap<Digest, Weak<Ready>>>,
    /// The signatures of components that were looked at: the hash of a component never changes.
    signatures: Mutex<HashMap<Digest, Arc<Signatures>>>,
    /// The capabilities that components ask for that were looked at.
    asked: Mutex<HashMap<Digest, Arc<Capabilities>>>,
    /// Components that turned out to be unusable, with the reason: they are not compiled again and again.
    unusable: Mutex<HashMap<Digest, String>>,
    /// Components that could not be made ready for the time being: no question waits for them, they are tried again in
    /// the background.
    unavailable: Mutex<HashMap<Digest, Unavailable>>,
    newest: ArcSwapOption<Serving>,
    /// Held while a catalog is made, so that many questions after a change make one.
    making: Mutex<()>,
    /// How long a catalog that is made waits for components that have to be compiled.
    patience: Duration,
}

/// A component that came with the program.
struct Bundled {
    manifest: Manifest,
    digest: Digest,
    bytes: &'static [u8],
}

/// The catalog of the newest revision.
struct Serving {
    key: Key,
    revision: Revision,
    catalog: Arc<Catalog>,
}

/// The outcome of looking for a component.
pub(in crate::service) enum Found {
    /// It is ready.
    Ready(Arc<Ready>),
    /// It is there, and cannot be used.
    Unusable {
        /// The component.
        bytes: Vec<u8>,
        /// Why.
        reason: LoadError,
    },
    /// The store has no bytes that fit its digest.
    Lost(Lost),
}

/// The key of a catalog: revisions with equal keys have the same catalog.
#[derive(Debug, Default, PartialEq)]
struct Key {
    /// The connector that slugs ask.
    queries: QuerySettings,
    /// The plugins and the connectors, each with the revision that wrote it.
    items: Vec<(Kind, Arc<str>, Revision)>,
    /// The number of declarations by the components that are there.
    declared: u64,
}

impl Platform {
    pub(in crate::service) fn open(folder: &Path, options: PlatformOptions) -> Result<Self, EngineError> {
        let loader = Loader::open(Some(&folder.join(CACHE)), options.config)?;
        let mut bundled = Vec::new();
        for it in loadout_plugins::ALL {
            match Loader::inspect(it.component) {
                Ok(manifest) => {
                    let digest = Loader::digest(it.component);
                    bundled.push(Bundled { manifest, digest, bytes: it.component });
                }
                Err(error) => tracing::error!("the built-in plugin `{}` is not used: {error}", it.name),
            }
        }
        Ok(Self {
            loader,
            compiler: options.compiler,
            bundled,
            known: Mutex::default(),
            signatures: Mutex::default(),
            asked: Mutex::default(),
            unusable: Mutex::default(),
            unavailable: Mutex::default(),
            newest: ArcSwapOption::empty(),
            making: Mutex::default(),
            patience: retry::PATIENCE,
        })
    }

    /// Returns the plugins that the program brings along, over an environment as `here` shows it: the changes, and the
    /// components they name. A version that does not serve yet serves if `fits` says so.
    pub(in crate::service) fn shipped_over<E>(
        &self,
        here: &Snapshot,
        fits: impl Fn(&str, &Plugin, &Manifest) -> Result<bool, E>,
    ) -> Result<(Vec<Change>, Vec<Component>), E> {
        let mut changes = Vec::new();
        let mut components = Vec::new();
        for Bundled { manifest, digest, bytes } in &self.bundled {
            let (name, version) = (manifest.full_name(), manifest.version);
            let entry = here.entry(Kind::Plugin, &name);
            let there = entry.and_then(|entry| Plugin::from_any(&entry.item));
            let mut plugin = there.cloned().unwrap_or_default();
            plugin.versions.insert(version, digest.clone());
            if follows(&plugin) && (plugin.active == Some(version) || fits(&name, &plugin, manifest)?) {
                plugin.activate(version);
            }
            let expect = entry.map_or(Expect::Absent, |entry| Expect::Revision(entry.revision));
            changes.push(Change::Put { name: name.as_str().into(), item: plugin.into(), expect });
            components.push(component_of(manifest, digest, bytes));
        }
        Ok((changes, components))
    }

    /// Returns the version that the program brings along of a plugin, if another version serves and this one should.
    pub(in crate::service) fn waiting(&self, name: &str, plugin: &Plugin) -> Option<&Manifest> {
        let own = self.bundled.iter().find(|bundled| bundled.manifest.full_name() == name)?;
        let waits = follows(plugin) && plugin.active != Some(own.manifest.version);
        waits.then_some(&own.manifest)
    }

    /// Writes the declarations of components to the store that were installed by a version of the program which did not
    /// keep them.
    pub(in crate::service) fn declare_kinds(&self, store: &Store) -> Result<(), store::Error> {
        for (digest, plugin) in store.undeclared_components()? {
            // A component that cannot be read declares nothing that this program could know.
            let manifest = self.manifest(store, &digest)?;
            let duties = manifest.map(|manifest| manifest.duties(&Default::default())).unwrap_or_default();
            store.declare_kinds(&digest, &plugin, &duties)?;
        }
        Ok(())
    }

    /// Returns the catalog of the revision of `snapshot`.
    pub(in crate::service) fn catalog(&self, store: &Store, snapshot: &Snapshot) -> Result<Arc<Catalog>, store::Error> {
        // The catalog may be older than the newest revision. A question about the past must not use what the newest
        // revision took back.
        let newest = store.newest_known();
        let serving = self.newest.load_full();
        let is_of_now = |serving: &Arc<Serving>| serving.revision >= newest;
        if let Some(serving) = serving.filter(|it| it.revision == snapshot.revision() && is_of_now(it)) {
            return Ok(Arc::clone(&serving.catalog));
        }
        let key = key(store, snapshot)?;
        let is_past = newest > snapshot.revision()
            || self.newest.load().as_ref().is_some_and(|serving| serving.revision > snapshot.revision());
        // A question about the past does not make other questions wait.
        let _making = (!is_past).then(|| lock(&self.making));
        let known = self.newest.load_full().filter(|serving| serving.key == key && (!is_past || is_of_now(serving)));
        let catalog = match known {
            Some(serving) => Arc::clone(&serving.catalog),
            None => Arc::new(self.make(store, snapshot)?),
        };
        if !is_past {
            self.keep(Serving { key, revision: snapshot.revision(), catalog: Arc::clone(&catalog) });
        }
        Ok(catalog)
    }

    /// Returns the catalog that was made last, if there is one. Makes nothing, and waits for nothing.
    pub(in crate::service) fn serving(&self) -> Option<Arc<Catalog>> {
        self.newest.load().as_ref().map(|serving| Arc::clone(&serving.catalog))
    }

    /// Keeps the catalog of a revision, unless that of a newer one is kept already. Only for the holder of `making`.
    fn keep(&self, serving: Serving) {
        let newer = self.newest.load().as_ref().is_some_and(|kept| kept.revision > serving.revision);
        if !newer {
            self.newest.store(Some(Arc::new(serving)));
        }
    }

    /// Makes a component ready that is not in the store yet.
    pub(in crate::service) fn prepare(&self, bytes: &[u8]) -> Result<Arc<Ready>, LoadError> {
        let ready = self.loader.prepare(bytes, &self.compiler)?;
        lock(&self.known).insert(ready.digest().clone(), Arc::downgrade(&ready));
        self.settle(ready.digest());
        Ok(ready)
    }

    fn find(&self, store: &Store, digest: &Digest) -> Result<Found, store::Error> {
        if let Some(ready) = lock(&self.known).get(digest).and_then(Weak::upgrade) {
            return Ok(Found::Ready(ready));
        }
        let own = self.bundled.iter().find(|bundled| bundled.digest == *digest);
        let (bytes, compiler) = match own {
            Some(own) => (own.bytes.to_vec(), &Compiler::Here),
            None => match store.component(digest)? {
                Ok(bytes) => (bytes, &self.compiler),
                Err(lost) => return Ok(Found::Lost(lost)),
            },
        };
        if let Some(reason) = lock(&self.unusable).get(digest) {
            return Ok(Found::Unusable { bytes, reason: LoadError::Before(reason.clone()) });
        }
        let ready = match self.loader.prepare(&bytes, compiler) {
            Ok(ready) => ready,
            Err(reason) => {
                if !matches!(reason, LoadError::Unavailable(_)) {
                    lock(&self.unusable).insert(digest.clone(), reason.to_string());
                }
                return Ok(Found::Unusable { bytes, reason });
            }
        };
        let mut known = lock(&self.known);
        known.retain(|_, held| held.strong_count() > 0);
        known.insert(digest.clone(), Arc::downgrade(&ready));
        Ok(Found::Ready(ready))
    }

    /// Returns whether a component came with this program.
    pub(in crate::service) fn is_bundled(&self, digest: &Digest) -> bool {
        self.bundled.iter().any(|bundled| bundled.digest == *digest)
    }

    /// Returns whether plugins of a publisher came with this program.
    pub(in crate::service) fn brings(&self, publisher: &str) -> bool {
        self.bundled.iter().any(|bundled| bundled.manifest.publisher == publisher)
    }

    /// Returns the signatures of a component of the store. Nothing if the component is lost, or if this program would
    /// not take it.
    pub(in crate::service) fn signatures(
        &self,
        store: &Store,
        digest: &Digest,
    ) -> Result<Option<Arc<Signatures>>, store::Error> {
        if let Some(known) = lock(&self.signatures).get(digest) {
            return Ok(Some(Arc::clone(known)));
        }
        let Ok(component) = store.component(digest)? else { return Ok(None) };
        let Ok(signatures) = Signatures::of(&component).map(Arc::new) else { return Ok(None) };
        lock(&self.signatures).insert(digest.clone(), Arc::clone(&signatures));
        Ok(Some(signatures))
    }

    /// Returns the capabilities that a component of the store asks for: none if it never was there, or if this program
    /// would not take it.
    pub(in crate::service) fn asked(&self, store: &Store, digest: &Digest) -> Result<Arc<Capabilities>, store::Error> {
        if let Some(known) = lock(&self.asked).get(digest) {
            return Ok(Arc::clone(known));
        }
        let Some(manifest) = self.manifest(store, digest)? else { return Ok(Arc::default()) };
        let asked = Arc::new(manifest.capabilities);
        lock(&self.asked).insert(digest.clone(), Arc::clone(&asked));
        Ok(asked)
    }

    /// Returns the manifest of a component, or the one kept before the component was lost, without making it ready.
    /// Nothing if the manifest cannot be read.
    pub(in crate::service) fn manifest(
        &self,
        store: &Store,
        digest: &Digest,
    ) -> Result<Option<Manifest>, store::Error> {
        match self.bundled.iter().find(|bundled| bundled.digest == *digest) {
            Some(own) => Ok(Some(own.manifest.clone())),
            None => match store.component(digest)? {
                Ok(bytes) => Ok(Loader::manifest(&bytes)),
                Err(_) => {
                    let kept = store.component_manifest(digest)?;
                    Ok(kept.and_then(|KeptManifest { text, size }| Loader::manifest_in(&text, size)))
                }
            },
        }
    }

    /// Keeps the manifests of components that an older version of this program installed.
    pub(in crate::service) fn keep_manifests(&self, store: &Store) -> Result<(), store::Error> {
        for digest in store.components_without_manifest()? {
            let Ok(bytes) = store.component(&digest)? else { continue };
            if let Some(text) = Loader::manifest_text(&bytes) {
                store.keep_manifest(&digest, &KeptManifest { text: text.to_owned(), size: bytes.len() as u64 })?;
            }
        }
        Ok(())
    }

    /// Makes the catalog of a revision: plugins that administrators installed come before those that came with the
    /// product.
    fn make(&self, store: &Store, snapshot: &Snapshot) -> Result<Catalog, store::Error> {
        let newest = store.snapshot()?;
        let connectors = newest.entries(Kind::Connector).filter_map(|(name, entry)| {
            Some((name.parse::<ConnectorName>().ok()?, Connector::from_any(&entry.item)?.clone()))
        });
        let connectors = Arc::new(connectors.collect::<Connectors>());
        let mut catalog = Catalog::of(&self.loader);
        // For a question about the past, slugs do not ask a connector that the newest revision no longer names.
        let [then, now] = [snapshot, &*newest].map(|it| it.environment().queries.connector);
        let connector = then.filter(|then| Some(then) == now.as_ref());
        if let Some(connector) = connector.and_then(|name| name.as_str().parse::<ConnectorName>().ok()) {
            catalog.let_slugs_ask(connector, Arc::clone(&connectors));
        }
        let written = store.declared_kinds(snapshot.revision())?;
        let of_layer = |layer: Layer| {
            let plugins = snapshot.entries(Kind::Plugin).filter(move |(_, entry)| entry.layer == layer);
            let mut plugins: Vec<_> =
                plugins.filter_map(|(name, entry)| Some((name, Plugin::from_any(&entry.item)?))).collect();
            plugins.sort_by_key(|(name, _)| *name);
            plugins
        };
        let until = Instant::now() + self.patience;
        let [custom, shipped] = [Layer::Custom, Layer::OutOfTheBox].map(of_layer);
        // The plugins of the product are made ready first, and held until the catalog holds them: where there is no
        // room for all, they have it.
        let of_product = shipped.iter().filter_map(|(_, plugin)| plugin.serving());
        let _first =
            of_product.map(|(_, digest)| self.ready_now(store, digest, until)).collect::<Result<Vec<_>, _>>()?;
        for (at, (name, plugin)) in custom.iter().chain(&shipped).enumerate() {
            if at == custom.len() {
                // Tool kinds that an administrator's plugin answers for are not left to a plugin of the product.
                self.note_absent(store, &mut catalog, &custom, &written)?;
            }
            if let Some((version, digest)) = plugin.serving() {
                // A grant that was taken back since does not count for a question about the past.
                let now = newest.entry(Kind::Plugin, name).and_then(|entry| Plugin::from_any(&entry.item));
                let granted = |digest: &Digest| {
                    let grants = plugin.grants.get(digest).zip(now.and_then(|now| now.grants.get(digest)));
                    grants.map(|(then, now)| then.and(now)).unwrap_or_default()
                };
                let wanted = Wanted {
                    tools: plugin.tools.clone(),
                    steps: plugin.steps.clone(),
                    recording: plugin.recording.clone(),
                    trial: self.trial(store, name, plugin, granted, until)?,
                    granted: granted(digest),
                    connectors: Arc::clone(&connectors),
                };
                let missing = |manifest, may_take_part, reason: String| {
                    tracing::error!("plugin `{name}` {version} is not used: {reason}");
                    UnavailablePlugin {
                        name: name.to_string(),
                        version,
                        digest: digest.to_string(),
                        manifest,
                        may_take_part,
                        declared: written.get(digest).map(|it| it.duties.clone()).unwrap_or_default(),
                        tools: plugin.tools.clone(),
                        steps: plugin.steps.clone(),
                        reason,
                    }
                };
                match self.ready_now(store, digest, until)? {
                    Found::Ready(ready) => {
                        let manifest = ready.manifest().clone();
                        if let Err(error) = catalog.add_after(ready, &wanted) {
                            catalog.add_missing(missing(Some(manifest), true, error.to_string()));
                        }
                    }
                    Found::Unusable { bytes, reason } => {
                        let (manifest, takes_part) = (Loader::manifest(&bytes), Loader::may_take_part(&bytes));
                        catalog.add_missing(missing(manifest, takes_part, reason.to_string()));
                    }
                    Found::Lost(lost) => {
                        catalog.add_missing(missing(self.manifest(store, digest)?, true, lost.to_string()));
                    }
                }
            }
        }
        if shipped.is_empty() {
            self.note_absent(store, &mut catalog, &custom, &written)?;
        }
        self.note_absent(store, &mut catalog, &shipped, &written)?;
        self.note_former(store, &mut catalog, &[custom.as_slice(), &shipped].concat(), &written)?;
        if custom.is_empty() && shipped.is_empty() {
            // A revision from before plugins were part of the configuration.
            for bundled in &self.bundled {
                if let Found::Ready(ready) = self.ready(store, &bundled.digest)?
                    && let Err(error) = catalog.add(ready)
                {
                    tracing::error!("the built-in plugin `{}` is not used: {error}", bundled.manifest.full_name());
                }
            }
        }
        Ok(catalog)
    }

    /// Returns the version of a plugin that is on trial, if it can be made ready.
    fn trial(
        &self,
        store: &Store,
        name: &str,
        plugin: &Plugin,
        granted: impl Fn(&Digest) -> Capabilities,
        until: Instant,
    ) -> Result<Option<Trial>, store::Error> {
        let Some((rollout, digest)) = plugin.trying().filter(|(rollout, _)| rollout.stopped.is_none()) else {
            return Ok(None);
        };
        Ok(match self.ready_now(store, digest, until)? {
            Found::Ready(ready) => Some(Trial::new(ready, rollout.clone(), granted(digest))),
            Found::Unusable { reason, .. } => {
                tracing::error!("plugin `{name}` {} is not tried: {reason}", rollout.version);
                None
            }
            Found::Lost(lost) => {
                tracing::error!("plugin `{name}` {} is not tried: {lost}", rollout.version);
                None
            }
        })
    }

    /// Deletes compiled code that the newest revision, as `snapshot` shows it, does not need.
    pub(in crate::service) fn tidy(&self, snapshot: &Snapshot) {
        let mut needed = retry::wanted(snapshot);
        needed.extend(self.bundled.iter().map(|bundled| bundled.digest.clone()));
        self.loader.keep_code(&needed);
    }

    pub(in crate::service) fn loader(&self) -> &Loader {
        &self.loader
    }
}

/// Returns whether a version that comes with the program takes the place of the one that serves. A gated plugin is
/// gated so that no version serves unseen.
fn follows(plugin: &Plugin) -> bool {
    !plugin.pinned && plugin.promotion.is_open()
}

/// Returns a change set by an administrator of plugins, over the revision `base`.
pub(in crate::service) fn change(base: Revision, changes: Vec<Change>) -> ChangeSet {
    ChangeSet { authority: Authority::Upgrader, base: Some(base), ..ChangeSet::new(changes) }
}

/// Returns the key of the catalog of a revision.
fn key(store: &Store, snapshot: &Snapshot) -> Result<Key, store::Error> {
    let of = |kind| snapshot.entries(kind).map(move |(name, entry)| (kind, Arc::clone(name), entry.revision));
    let items = [Kind::Plugin, Kind::Connector].into_iter().flat_map(of).collect();
    let queries = snapshot.environment().queries;
    Ok(Key { items, queries, declared: store.count_declared_kinds(snapshot.revision())? })
}

/// Locks, also after a panic: the guarded values are consistent after every line.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns a component as the store keeps it, with its manifest and the tool kinds it declares.
pub(in crate::service) fn component_of(manifest: &Manifest, digest: &Digest, bytes: &[u8]) -> Component {
    Component {
        digest: digest.clone(),
        plugin: manifest.full_name(),
        version: manifest.version,
        manifest: Loader::manifest_text(bytes).unwrap_or_default().to_owned(),
        bytes: bytes.to_vec(),
        duties: manifest.duties(&Default::default()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::domain::access::Caller;
    use crate::domain::revision::Author;
    use crate::domain::{AnyItem, Duties, FaultPolicy};
    use crate::plugin::ChildCompiler;
    use crate::resolve::{AbsentPart, Facts, Reads};

    use super::retry::{LONGEST_PAUSE, PAUSE};
    use super::*;
    use crate::service::{Activation, Error, PluginSource, Service};

    /// Returns a component that has a manifest and nothing else: it can never be made ready.
    fn component(manifest: &str) -> Vec<u8> {
        const EMPTY: [u8; 8] = [0, b'a', b's', b'm', 0x0d, 0, 1, 0];
        loadout_plugin_build::embed_manifest(&EMPTY, manifest).unwrap()
    }

    fn of_world(world: &str, rest: &str) -> Vec<u8> {
        component(&format!(
            "[plugin]\npublisher = 'contoso'\nname = 'guard'\nversion = '1.0.0'\nworld = 'loadout:plugin/{world}@0.1.0'\ndescription = 'Watches.'\n{rest}"
        ))
    }

    /// Returns a service without anything in it but `plugin`, and its component if that is not lost.
    fn service(folder: &Path, bytes: &[u8], lost: bool, plugin: Plugin) -> Service {
        service_with(folder, bytes, lost, plugin, |_| {})
    }

    fn service_with(
        folder: &Path,
        bytes: &[u8],
        lost: bool,
        mut plugin: Plugin,
        change_platform: impl FnOnce(&mut Platform),
    ) -> Service {
        let store = Store::open(folder).unwrap();
        let options = PlatformOptions {
            config: Config::default(),
            compiler: Compiler::Child(ChildCompiler::new("/nowhere", Default::default())),
        };
        let mut platform = Platform::open(folder, options).unwrap();
        change_platform(&mut platform);
        let (version, digest) = ("1.0.0".parse().unwrap(), Loader::digest(bytes));
        plugin.versions.insert(version, digest.clone());
        plugin.active = Some(version);
        let name = "contoso/guard".to_owned();
        let kept = || match Loader::manifest(bytes) {
            Some(manifest) => component_of(&manifest, &digest, bytes),
            // As an older program may have kept one that this program cannot read.
            None => Component {
                digest: digest.clone(),
                plugin: "contoso/guard".to_owned(),
                version,
                manifest: Loader::manifest_text(bytes).unwrap_or_default().to_owned(),
                bytes: bytes.to_vec(),
                duties: Duties::default(),
            },
        };
        let components = if lost { Vec::new() } else { vec![kept()] };
        let changes = change(store.newest().unwrap(), vec![Change::put(name, plugin)]);
        store.install(&components, changes, &Author::new("ada", "a test")).unwrap();
        Service::with(store, PluginSource::Installed(Box::new(platform)))
    }

    fn write(service: &Service) -> Result<store::Committed, Error> {
        let queue = AnyItem::parse(Kind::Queue, "desk", json!({"name": "Desk"})).unwrap();
        service.commit(&ChangeSet::new([Change::put("desk".to_owned(), queue)]), &Author::new("ada", "a test"))
    }

    #[test]
    fn nothing_is_written_without_a_step_that_cannot_be_asked() {
        let step = |policy: &str| {
            format!(
                "[[steps]]\nname = 'check'\nmessage = 'queue.create'\nstage = 10\nrank = 1\non-fault = '{policy}'\n"
            )
        };
        let wants = |policy| Plugin {
            steps: [("check".to_owned(), crate::domain::StepOverride { on_fault: Some(policy), ..Default::default() })]
                .into(),
            ..Plugin::default()
        };
        let mut outcomes = String::new();
        for (what, declared, lost, plugin) in [
            ("aborts", "abort", false, Plugin::default()),
            ("is skipped", "skip", false, Plugin::default()),
            ("is to be skipped", "abort", false, wants(FaultPolicy::Skip)),
            ("is gone", "abort", true, wants(FaultPolicy::Skip)),
            ("is switched off", "abort", true, Plugin { state: crate::domain::State::Inactive, ..Plugin::default() }),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let service = service(folder.path(), &of_world("step", &step(declared)), lost, plugin);
            let before = service.store.newest().unwrap();
            let outcome = match write(&service) {
                Ok(done) => format!("written; {:?}", done.skipped),
                Err(error) => {
                    assert_eq!(service.store.newest().unwrap(), before);
                    error.to_string()
                }
            };
            outcomes.push_str(&format!("{what}: {outcome}\n"));
        }
        insta::assert_snapshot!(outcomes, @r#"
        aborts: step `check` of plugin `contoso/guard` 1.0.0 broke, and nothing is written without it: it cannot be used: its manifest says `loadout:plugin/step@0.1.0`, which exports `loadout:plugin/configuration-step@0.1.0`, but it exports nothing: say in `plugin.toml` which world it is built for; activate another version, or switch the plugin off
        is skipped: written; [Skipped { plugin: "contoso/guard 1.0.0", step: "check", code: "plugin.not-ready", message: "it cannot be used: its manifest says `loadout:plugin/step@0.1.0`, which exports `loadout:plugin/configuration-step@0.1.0`, but it exports nothing: say in `plugin.toml` which world it is built for; activate another version, or switch the plugin off" }]
        is to be skipped: written; [Skipped { plugin: "contoso/guard 1.0.0", step: "check", code: "plugin.not-ready", message: "it cannot be used: its manifest says `loadout:plugin/step@0.1.0`, which exports `loadout:plugin/configuration-step@0.1.0`, but it exports nothing: say in `plugin.toml` which world it is built for; activate another version, or switch the plugin off" }]
        is gone: nothing is written while the host cannot list the steps of plugin `contoso/guard` 1.0.0: its component is gone; install it again, activate another version, or switch it off
        is switched off: written; []
        "#);
    }

    #[test]
    fn what_cannot_be_read_of_a_component_costs_no_more_than_what_it_is_about() {
        let step = "[[steps]]\nname = 'check'\nmessage = 'queue.create'\nstage = 10\nrank = 1\non-fault = 'skip'\n";
        let schema = format!("[settings]\nschema = '{{\"$ref\": \"#\", \"title\": \"{}\"}}'\n", "x".repeat(20_000));
        for (what, bytes, skipped, reason) in [
            ("nothing, of one that exports no step", component("nonsense"), 0, "its manifest cannot be read"),
            ("the schema alone", of_world("step", &format!("{step}{schema}")), 1, "at most 16384 are allowed"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let service = service(folder.path(), &bytes, false, Plugin::default());
            let written = write(&service).unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!(written.skipped.len(), skipped, "{what}");
            let problem = service.plugin("contoso/guard").unwrap().problem.unwrap_or_default();
            assert!(problem.contains(reason), "{what}: {problem}");
            assert!(service.plugins().is_ok());
        }
    }

    #[test]
    fn what_an_older_revision_asks_never_takes_the_place_of_what_a_newer_one_asks() {
        let folder = tempfile::tempdir().unwrap();
        let service = service(folder.path(), &component(""), false, Plugin::default());
        let platform = service.platform().unwrap();
        let of = |revision| {
            let catalog = Arc::new(Catalog::of(platform.loader()));
            Serving { key: Key::default(), revision: Revision(revision), catalog }
        };
        let kept = [2, 3, 2, 3, 4].map(|revision| {
            platform.keep(of(revision));
            platform.newest.load().as_ref().unwrap().revision.0
        });
        assert_eq!(kept, [2, 3, 3, 3, 4]);
    }

    #[test]
    fn what_could_not_be_made_ready_for_the_time_being_is_tried_again() {
        for found_by_somebody in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            let [scripts] = loadout_plugins::ALL.iter().filter(|it| it.name == "scripts").collect::<Vec<_>>()[..]
            else {
                panic!("the built-in plugin is gone")
            };
            let manifest = "[plugin]\npublisher = 'contoso'\nname = 'guard'\nversion = '1.0.0'\nworld = 'loadout:plugin/tool@0.1.0'\ndescription = 'Watches.'\n[tool]\nkinds = ['scripts']\n";
            let rule = loadout_plugin_build::embed_manifest(scripts.component, manifest).unwrap();
            let rollout: crate::domain::Rollout =
                serde_json::from_str(r#"{"version": "1.1.0", "to": "shadow"}"#).unwrap();
            let versions = [("1.1.0".parse().unwrap(), Loader::digest(&rule))].into();
            let service =
                service(folder.path(), &rule, false, Plugin { versions, rollout: Some(rollout), ..Plugin::default() });
            let (platform, store) = (service.platform().unwrap(), &service.store);
            let snapshot = store.snapshot().unwrap();
            let look = || {
                let catalog = platform.catalog(store, &snapshot).unwrap();
                let is_tried = catalog.observed("scripts").is_some_and(|observed| observed.trial.is_some());
                let missing: Vec<String> = catalog.missing().iter().map(|missing| missing.reason.clone()).collect();
                (missing, is_tried)
            };
            let reason =
                "it was not made ready: the compiler cannot be started: No such file or directory (os error 2)";
            let (before, after) = ((vec![reason.to_owned()], false), (Vec::new(), true));
            let begun = Instant::now();
            assert_eq!(look(), before);
            // Another process on the same folder has a compiler.
            let other = Loader::open(Some(&folder.path().join(CACHE)), Config::default()).unwrap();
            other.prepare(&rule, &Compiler::Here).unwrap();
            assert!(!platform.retry(store, begun).unwrap(), "it is left alone for some time");
            assert_eq!(look(), before, "and no question waits for it");
            let due = if found_by_somebody {
                assert!(matches!(platform.ready(store, &Loader::digest(&rule)).unwrap(), Found::Ready(_)));
                assert_eq!(look(), before, "the next catalog is made in the background");
                Instant::now()
            } else {
                Instant::now() + PAUSE
            };
            assert!(platform.retry(store, due).unwrap());
            assert_eq!(look(), after);
            assert!(!platform.retry(store, Instant::now() + LONGEST_PAUSE).unwrap(), "nothing is left to try");
        }
    }

    #[test]
    fn no_question_waits_for_all_that_has_to_be_compiled() {
        let folder = tempfile::tempdir().unwrap();
        let [scripts] = loadout_plugins::ALL.iter().filter(|it| it.name == "scripts").collect::<Vec<_>>()[..] else {
            panic!("the built-in plugin is gone")
        };
        let manifest = "[plugin]\npublisher = 'contoso'\nname = 'guard'\nversion = '1.0.0'\nworld = 'loadout:plugin/tool@0.1.0'\ndescription = 'Watches.'\n[tool]\nkinds = ['scripts']\n";
        let rule = loadout_plugin_build::embed_manifest(scripts.component, manifest).unwrap();
        let service = service_with(folder.path(), &rule, false, Plugin::default(), |platform| {
            (platform.compiler, platform.patience) = (Compiler::Here, Duration::ZERO);
        });
        let (platform, store) = (service.platform().unwrap(), &service.store);
        let snapshot = store.snapshot().unwrap();
        let missing = || {
            let catalog = platform.catalog(store, &snapshot).unwrap();
            catalog.missing().iter().map(|missing| missing.reason.clone()).collect::<Vec<_>>().join("; ")
        };
        insta::assert_snapshot!(missing(), @"it was not made ready: it is not compiled yet, which goes on in the background: try again in a while");
        assert!(platform.retry(store, Instant::now()).unwrap());
        assert_eq!(missing(), "");
    }

    #[test]
    fn a_kind_is_taken_by_who_cannot_be_asked_for_the_time_being() {
        let [scripts] = loadout_plugins::ALL.iter().filter(|it| it.name == "scripts").collect::<Vec<_>>()[..] else {
            panic!("the built-in plugin is gone")
        };
        let named = |name: &str| {
            let manifest = format!(
                "[plugin]\npublisher = 'contoso'\nname = '{name}'\nversion = '1.0.0'\nworld = 'loadout:plugin/tool@0.1.0'\ndescription = 'Decides.'\n[tool]\nkinds = ['scripts']\n"
            );
            loadout_plugin_build::embed_manifest(scripts.component, &manifest).unwrap()
        };
        let folder = tempfile::tempdir().unwrap();
        // Without a compiler neither of the two can be made ready.
        let service = service(folder.path(), &named("guard"), false, Plugin::default());
        let how = Activation { activate: true, accept_major: false, past_gate: false, anyway: false };
        let refused =
            service.install_plugin(&Caller::admin(), &named("rival"), how, &Author::new("ada", "a test")).unwrap_err();
        insta::assert_snapshot!(refused, @"tool kind `scripts` is decided by plugin `contoso/guard`: switch that off first");
    }

    /// Returns a version of a plugin that decides about scripts, as if it had come with the program.
    fn shipped(version: &str, settings: &str) -> Bundled {
        let [scripts] = loadout_plugins::ALL.iter().filter(|it| it.name == "scripts").collect::<Vec<_>>()[..] else {
            panic!("the built-in plugin is gone")
        };
        let manifest = format!(
            "[plugin]\npublisher = 'contoso'\nname = 'guide'\nversion = '{version}'\nworld = 'loadout:plugin/tool@0.1.0'\ndescription = 'Decides.'\n[tool]\nkinds = ['scripts']\n[settings]\n{settings}"
        );
        let bytes = loadout_plugin_build::embed_manifest(scripts.component, &manifest).unwrap();
        let manifest = Loader::inspect(&bytes).unwrap();
        Bundled { manifest, digest: Loader::digest(&bytes), bytes: bytes.leak() }
    }

    #[test]
    fn a_version_that_came_with_the_program_and_does_not_take_the_settings_waits() {
        let (old, strict) = ("schema = '{}'", "schema = '{\"additionalProperties\": false}'");
        let renames = "schema = '{\"properties\": {\"limit\": {}}, \"additionalProperties\": false}'\n[[settings.migrations]]\nfrom = '1'\noperations = [{ rename = '/most', to = 'limit' }]\n";
        let mut outcomes = String::new();
        for (what, served, settings) in [
            ("it takes them", true, old),
            ("it does not", true, strict),
            ("it migrates them", true, renames),
            ("nothing serves", false, strict),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let start = |bundled: Vec<Bundled>| {
                let store = Store::open(folder.path()).unwrap();
                let options = PlatformOptions {
                    config: Config::default(),
                    compiler: Compiler::Child(ChildCompiler::new("/nowhere", Default::default())),
                };
                let platform = Platform { bundled, ..Platform::open(folder.path(), options).unwrap() };
                Service::with(store, PluginSource::Installed(Box::new(platform))).with_shipped().unwrap()
            };
            let first = shipped("1.0.0", old);
            let service = start(if served { vec![first] } else { Vec::new() });
            let profile = json!({"name": "Desk", "productivityPane": {"tools": [{"tool": "msdyn_callscript_tool_config", "settings": {"most": 3}}]}});
            let profile = AnyItem::parse(Kind::Profile, "contoso_desk", profile).unwrap();
            service
                .store
                .commit(ChangeSet::new([Change::put("contoso_desk".to_owned(), profile)]), &Author::new("ada", ""))
                .unwrap();
            drop(service);
            let service = start(vec![shipped("2.0.0", settings)]);
            let snapshot = service.store.snapshot().unwrap();
            let plugin = crate::service::plugins::item(&snapshot, "contoso/guide").unwrap();
            let desk = snapshot.entry(Kind::Profile, "contoso_desk").unwrap();
            let settings = desk.item.to_json()["productivityPane"]["tools"][0]["settings"].clone();
            let held_back = service.plugin("contoso/guide").unwrap().held_back;
            let held_back = held_back.map_or_else(String::new, |why| format!("; {why}"));
            let (active, layer) = (plugin.active.unwrap(), desk.layer);
            outcomes.push_str(&format!("{what}: {active} serves, {settings}, {layer:?}{held_back}\n"));
        }
        insta::assert_snapshot!(outcomes, @r#"
        it takes them: 2.0.0 serves, {"most":3}, Custom
        it does not: 1.0.0 serves, {"most":3}, Custom; plugin `contoso/guide` 2.0.0 does not serve, because settings that are there do not fit it: tool `msdyn_callscript_tool_config` in profile `contoso_desk`: False schema does not allow 3: change the settings, ship a version that migrates them (`[[settings.migrations]]`), or say `anyway`
        it migrates them: 2.0.0 serves, {"limit":3}, Custom
        nothing serves: 2.0.0 serves, {"most":3}, Custom
        "#);
    }

    #[test]
    fn what_a_component_cannot_say_any_more_is_known_by_what_was_written_down() {
        let kinds = || [String::from("scripts")].into();
        let of = |duties: Duties| {
            let folder = tempfile::tempdir().unwrap();
            // Nothing can be read from it.
            let service = service(folder.path(), &component(""), true, Plugin::default());
            let store = &service.store;
            let (version, digest) = ("1.0.0".parse().unwrap(), Loader::digest(&component("")));
            let plugin = "contoso/guard".to_owned();
            let (manifest, bytes) = (String::new(), component(""));
            let component = Component { digest, plugin, version, manifest, bytes, duties };
            store.install(&[component], ChangeSet::default(), &Author::new("ada", "a test")).unwrap();
            let snapshot = store.snapshot().unwrap();
            let rules = service.machinery.rules(store, &snapshot).unwrap();
            let asked = rules.evaluate("scripts", "{}", Reads::new(snapshot, Arc::new(Facts::default())));
            let fault = asked.and_then(|asked| asked.outcome.err()).map(|fault| fault.code);
            let absent: Vec<_> = rules.absent("scripts").iter().map(|absent| absent.part).collect();
            (fault, absent)
        };
        let rule = of(Duties { rules: kinds(), ..Duties::default() });
        assert_eq!(rule, (Some("plugin.not-ready".to_owned()), Vec::new()), "the rule fails visibly");
        let step = of(Duties { steps: kinds(), ..Duties::default() });
        assert_eq!(step, (None, vec![AbsentPart::Guard]), "who cannot say how much it matters guards");
    }

    #[test]
    fn a_tool_whose_component_cannot_be_used_fails_visibly() {
        let rule = of_world("tool", "[tool]\nkinds = ['scripts']\non-fault = 'abort'\n");
        let folder = tempfile::tempdir().unwrap();
        let service = service(folder.path(), &rule, false, Plugin::default());
        let snapshot = service.store.snapshot().unwrap();
        let rules = service.machinery.rules(&service.store, &snapshot).unwrap();
        let asked = rules.evaluate("scripts", "{}", Reads::new(snapshot, Arc::new(Facts::default()))).unwrap();
        let fault = asked.outcome.unwrap_err();
        insta::assert_snapshot!(format!("{} {}: {} (ends: {})", fault.plugin, fault.code, fault.message, asked.ends), @"contoso/guard plugin.not-ready: it cannot be used: its manifest says `loadout:plugin/tool@0.1.0`, which exports `loadout:plugin/tool-rule@0.1.0`, but it exports nothing: say in `plugin.toml` which world it is built for (ends: true)");
    }
}
