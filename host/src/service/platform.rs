//! The plugins of an environment at run time: which components answer at which revision.
//!
//! The truth is the items of the collection `plugins` in the store. Here are only components made ready for them, and the
//! catalog of the newest revision, which is made anew as soon as an item is another, whoever wrote it. A question goes on with the
//! catalog it began with.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use arc_swap::ArcSwapOption;

use crate::domain::{Capabilities, Connector, ConnectorName, Digest, Item, Kind, Plugin, Revision};
use crate::plugin::{
    Catalog, Compiler, Config, Connectors, EngineError, LoadError, Manifest, Missing, Provides, Ready, Signatures,
    Trial, Wanted, Workshop,
};
use crate::store::{self, Authority, Change, ChangeSet, Component, Expect, Layer, Snapshot, Store};

/// Where compiled components are kept, within the data folder.
const CACHE: &str = "cache";

/// How plugins are run.
#[derive(Debug)]
pub struct PlatformOptions {
    /// What calls may use.
    pub config: Config,
    /// Who compiles components that did not come with the program.
    pub compiler: Compiler,
}

impl PlatformOptions {
    /// Usual limits; components are compiled by child processes of this program.
    pub fn of_this_program() -> Self {
        use crate::plugin::ChildCompiler;
        Self { config: Config::default(), compiler: Compiler::Child(ChildCompiler::of_this_program()) }
    }
}

/// Components made ready.
pub(super) struct Platform {
    workshop: Workshop,
    compiler: Compiler,
    bundled: Vec<Bundled>,
    /// Components that somebody holds ready.
    known: Mutex<HashMap<Digest, Weak<Ready>>>,
    /// Who signed the components that were looked at: the hash of a component never changes.
    signatures: Mutex<HashMap<Digest, Arc<Signatures>>>,
    /// What components ask for that were looked at.
    asked: Mutex<HashMap<Digest, Arc<Capabilities>>>,
    /// Components that turned out to be unusable, with the reason: they are not compiled again and again.
    unusable: Mutex<HashMap<Digest, String>>,
    newest: ArcSwapOption<Serving>,
    /// Held while a catalog is made, so that many questions after a change make one.
    making: Mutex<()>,
}

/// A component that came with the program.
struct Bundled {
    manifest: Manifest,
    digest: Digest,
    bytes: &'static [u8],
}

/// What the newest revision asks.
struct Serving {
    key: Key,
    revision: Revision,
    catalog: Arc<Catalog>,
}

/// What became of looking for a component.
pub(super) enum Found {
    /// It is ready.
    Ready(Arc<Ready>),
    /// It is there, and cannot be used.
    Unusable {
        /// The component.
        bytes: Vec<u8>,
        /// Why.
        reason: LoadError,
    },
    /// The store has no such component.
    Nowhere,
}

/// The plugins and connectors of a revision: each with the revision that wrote it.
type Key = Vec<(Kind, Arc<str>, Revision)>;

impl Platform {
    pub(super) fn open(folder: &Path, options: PlatformOptions) -> Result<Self, EngineError> {
        let workshop = Workshop::open(Some(&folder.join(CACHE)), options.config)?;
        let mut bundled = Vec::new();
        for it in loadout_plugins::ALL {
            match Workshop::inspect(it.component) {
                Ok(manifest) => {
                    let digest = Workshop::digest(it.component);
                    bundled.push(Bundled { manifest, digest, bytes: it.component });
                }
                Err(error) => tracing::error!("the built-in plugin `{}` is not used: {error}", it.name),
            }
        }
        Ok(Self {
            workshop,
            compiler: options.compiler,
            bundled,
            known: Mutex::default(),
            signatures: Mutex::default(),
            asked: Mutex::default(),
            unusable: Mutex::default(),
            newest: ArcSwapOption::empty(),
            making: Mutex::default(),
        })
    }

    /// What the program brings along, over an environment that is as `here` shows: the changes, and the components they name.
    pub(super) fn shipped_over(&self, here: &Snapshot) -> (Vec<Change>, Vec<Component>) {
        let mut changes = Vec::new();
        let mut components = Vec::new();
        for Bundled { manifest, digest, bytes } in &self.bundled {
            let (name, version) = (manifest.full_name(), manifest.version);
            let entry = here.entry(Kind::Plugin, &name);
            let there = entry.and_then(|entry| Plugin::from_any(&entry.item));
            let mut plugin = there.cloned().unwrap_or_default();
            plugin.versions.insert(version, digest.clone());
            // What is gated was gated so that nothing serves unseen.
            if !plugin.pinned && plugin.promotion.is_open() {
                plugin.activate(version);
            }
            let expect = entry.map_or(Expect::Absent, |entry| Expect::Revision(entry.revision));
            changes.push(Change::Put { name: name.as_str().into(), item: plugin.into(), expect });
            components.push(Component { digest: digest.clone(), plugin: name, version, bytes: bytes.to_vec() });
        }
        (changes, components)
    }

    /// What is asked at the revision of `snapshot`.
    pub(super) fn catalog(&self, store: &Store, snapshot: &Snapshot) -> Result<Arc<Catalog>, store::Error> {
        let serving = self.newest.load_full();
        if let Some(serving) = serving.filter(|serving| serving.revision == snapshot.revision()) {
            return Ok(Arc::clone(&serving.catalog));
        }
        let of = |kind| snapshot.entries(kind).map(move |(name, entry)| (kind, Arc::clone(name), entry.revision));
        let key: Key = [Kind::Plugin, Kind::Connector].into_iter().flat_map(of).collect();
        let is_past = self.newest.load().as_ref().is_some_and(|serving| serving.revision > snapshot.revision());
        // Whoever asks about the past keeps nobody waiting.
        let _making = (!is_past).then(|| lock(&self.making));
        let known = self.newest.load_full().filter(|serving| serving.key == key);
        let catalog = match known {
            Some(serving) => Arc::clone(&serving.catalog),
            None => Arc::new(self.make(store, snapshot)?),
        };
        if !is_past {
            let serving = Serving { key, revision: snapshot.revision(), catalog: Arc::clone(&catalog) };
            self.newest.store(Some(Arc::new(serving)));
        }
        Ok(catalog)
    }

    /// Makes a component ready that is not in the store yet.
    pub(super) fn prepare(&self, bytes: &[u8]) -> Result<Arc<Ready>, LoadError> {
        let ready = self.workshop.prepare(bytes, &self.compiler)?;
        lock(&self.known).insert(ready.digest().clone(), Arc::downgrade(&ready));
        Ok(ready)
    }

    /// The component of `digest`, made ready if it is not.
    pub(super) fn ready(&self, store: &Store, digest: &Digest) -> Result<Found, store::Error> {
        if let Some(ready) = lock(&self.known).get(digest).and_then(Weak::upgrade) {
            return Ok(Found::Ready(ready));
        }
        let own = self.bundled.iter().find(|bundled| bundled.digest == *digest);
        let (bytes, compiler) = match own {
            Some(own) => (own.bytes.to_vec(), &Compiler::Here),
            None => match store.component(digest)? {
                Some(bytes) => (bytes, &self.compiler),
                None => return Ok(Found::Nowhere),
            },
        };
        if let Some(reason) = lock(&self.unusable).get(digest) {
            return Ok(Found::Unusable { bytes, reason: LoadError::Before(reason.clone()) });
        }
        let ready = match self.workshop.prepare(&bytes, compiler) {
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

    /// Whether a component came with this program.
    pub(super) fn is_bundled(&self, digest: &Digest) -> bool {
        self.bundled.iter().any(|bundled| bundled.digest == *digest)
    }

    /// Who signed a component of the store. Nothing if it is not there, or is one that no program of today would take.
    pub(super) fn signatures(&self, store: &Store, digest: &Digest) -> Result<Option<Arc<Signatures>>, store::Error> {
        if let Some(known) = lock(&self.signatures).get(digest) {
            return Ok(Some(Arc::clone(known)));
        }
        let Some(component) = store.component(digest)? else { return Ok(None) };
        let Ok(signatures) = Signatures::of(&component).map(Arc::new) else { return Ok(None) };
        lock(&self.signatures).insert(digest.clone(), Arc::clone(&signatures));
        Ok(Some(signatures))
    }

    /// What a component of the store asks for. One that is not there, or that no program of today would take, asks for nothing.
    pub(super) fn asked(&self, store: &Store, digest: &Digest) -> Result<Arc<Capabilities>, store::Error> {
        if let Some(known) = lock(&self.asked).get(digest) {
            return Ok(Arc::clone(known));
        }
        let own = self.bundled.iter().find(|bundled| bundled.digest == *digest);
        let asked = match own {
            Some(own) => Some(own.manifest.capabilities.clone()),
            None => store.component(digest)?.and_then(|bytes| Workshop::manifest(&bytes)).map(|it| it.capabilities),
        };
        let Some(asked) = asked.map(Arc::new) else { return Ok(Arc::default()) };
        lock(&self.asked).insert(digest.clone(), Arc::clone(&asked));
        Ok(asked)
    }

    /// The catalog of a revision: what administrators installed comes before what came with the product.
    fn make(&self, store: &Store, snapshot: &Snapshot) -> Result<Catalog, store::Error> {
        let newest = store.snapshot()?;
        let connectors = newest.entries(Kind::Connector).filter_map(|(name, entry)| {
            Some((name.parse::<ConnectorName>().ok()?, Connector::from_any(&entry.item)?.clone()))
        });
        let connectors = Arc::new(connectors.collect::<Connectors>());
        let mut catalog = Catalog::of(&self.workshop);
        let mut plugins: Vec<_> = snapshot
            .entries(Kind::Plugin)
            .filter_map(|(name, entry)| Some((entry.layer, name, Plugin::from_any(&entry.item)?)))
            .collect();
        plugins.sort_by_key(|(layer, name, _)| (*layer == Layer::OutOfTheBox, (*name).clone()));
        for (_, name, plugin) in &plugins {
            if let Some((version, digest)) = plugin.serving() {
                // What was taken back since is not had by asking about the past.
                let now = newest.entry(Kind::Plugin, name).and_then(|entry| Plugin::from_any(&entry.item));
                let granted = |digest: &Digest| {
                    let grants = plugin.grants.get(digest).zip(now.and_then(|now| now.grants.get(digest)));
                    grants.map(|(then, now)| then.and(now)).unwrap_or_default()
                };
                let wanted = Wanted {
                    tools: plugin.tools.clone(),
                    steps: plugin.steps.clone(),
                    recording: plugin.recording.clone(),
                    trial: self.trial(store, name, plugin, granted)?,
                    granted: granted(digest),
                    connectors: Arc::clone(&connectors),
                };
                let missing = |provides: Option<Provides>, reason: String| {
                    tracing::error!("plugin `{name}` {version} is not used: {reason}");
                    let (kinds, tool_steps) = match provides {
                        Some(Provides::Tool { kinds, .. }) => (kinds, Vec::new()),
                        Some(Provides::ToolSteps { steps }) => (Vec::new(), steps),
                        Some(Provides::Step(_) | Provides::Handler { .. }) | None => (Vec::new(), Vec::new()),
                    };
                    Missing {
                        name: name.to_string(),
                        version,
                        digest: digest.to_string(),
                        kinds,
                        tools: plugin.tools.clone(),
                        tool_steps,
                        steps: plugin.steps.clone(),
                        reason,
                    }
                };
                match self.ready(store, digest)? {
                    Found::Ready(ready) => {
                        if let Err(error) = catalog.add_behind(ready, &wanted) {
                            tracing::error!("plugin `{name}` {version} is not used: {error}");
                        }
                    }
                    Found::Unusable { bytes, reason } => {
                        catalog.add_missing(missing(provides(&bytes), reason.to_string()));
                    }
                    Found::Nowhere => catalog.add_missing(missing(None, "its component is gone".to_owned())),
                }
            }
        }
        if plugins.is_empty() {
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

    /// The version of a plugin that is tried, if it can be.
    fn trial(
        &self,
        store: &Store,
        name: &str,
        plugin: &Plugin,
        granted: impl Fn(&Digest) -> Capabilities,
    ) -> Result<Option<Trial>, store::Error> {
        let Some((rollout, digest)) = plugin.trying().filter(|(rollout, _)| rollout.stopped.is_none()) else {
            return Ok(None);
        };
        Ok(match self.ready(store, digest)? {
            Found::Ready(ready) => Some(Trial::new(ready, rollout.clone(), granted(digest))),
            Found::Unusable { reason, .. } => {
                tracing::error!("plugin `{name}` {} is not tried: {reason}", rollout.version);
                None
            }
            Found::Nowhere => {
                tracing::error!("plugin `{name}` {} is not tried: its component is gone", rollout.version);
                None
            }
        })
    }

    pub(super) fn workshop(&self) -> &Workshop {
        &self.workshop
    }
}

/// A change set by an administrator of plugins, over the revision `base`.
pub(super) fn change(base: Revision, changes: Vec<Change>) -> ChangeSet {
    ChangeSet { authority: Authority::Upgrader, base: Some(base), ..ChangeSet::new(changes) }
}

/// What a component that cannot be made ready would do.
fn provides(component: &[u8]) -> Option<Provides> {
    Workshop::inspect(component).ok().map(|manifest| manifest.provides)
}

/// What these locks guard is whole after every line.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
