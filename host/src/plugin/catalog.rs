//! The plugins that are there, and which of them decides about what.
//!
//! A component that cannot be used leaves the others working; why is on the list of problems.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use wasmtime::component::{Component, Linker};

use crate::domain::trace;
use crate::resolve::{Evaluation, Facts, Reads, ToolRules};
use crate::store::Snapshot;
use crate::upgrade::{Migration, Page, StepFault, StepInfo, StepNote, Steps};

use super::cache::Cache;
use super::call::{Call, CallError, Plugin};
use super::engine::{Config, Engine, EngineError};
use super::inspect::{LoadError, inspect};
use super::manifest::{Manifest, Provides};
use super::state::State;
use super::step::Step;
use super::v0_1::Rule;
use super::v0_1::upgrade::Step as Prepared;
use super::{v0_1, wasi};

/// Ready components: rules by tool kind, and steps of upgrades.
pub struct Catalog {
    engine: Engine,
    plugins: Vec<Plugin>,
    infos: Vec<PluginInfo>,
    by_kind: BTreeMap<String, usize>,
    steps: Vec<Step>,
    step_infos: Vec<StepInfo>,
}

/// A plugin that is there.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginInfo {
    /// Who made it.
    pub publisher: String,
    /// What it is called.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The world it is built for.
    pub world: String,
    /// One sentence.
    pub description: String,
    /// The SHA-256 of the component, in hexadecimal.
    pub digest: String,
    /// The tool kinds it decides about; none for a step of upgrades.
    pub kinds: Vec<String>,
    /// The JSON Schema of its settings.
    pub settings_schema: Option<Map<String, Value>>,
}

/// A component that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("plugin `{component}` is not used: {reason}")]
pub struct Problem {
    /// The component, as it was named to [`Catalog::load`].
    pub component: String,
    /// Why.
    pub reason: LoadError,
}

impl Catalog {
    /// Makes components ready, in order: of two that want the same tool kind, the first gets it.
    ///
    /// Compiled code is kept in `cache`, if a folder is given.
    pub fn load(
        components: &[(&str, &[u8])],
        cache: Option<&Path>,
        config: Config,
    ) -> Result<(Self, Vec<Problem>), EngineError> {
        let engine = Engine::new(config)?;
        let linker = linker(&engine.wasmtime).map_err(|error| EngineError::new(&error))?;
        let cache = cache.and_then(|folder| {
            let opened = Cache::open(folder);
            opened.map_err(|error| tracing::warn!(%error, "no compiled code in `{}`", folder.display())).ok()
        });
        let mut catalog = Self {
            engine,
            plugins: Vec::new(),
            infos: Vec::new(),
            by_kind: BTreeMap::new(),
            steps: Vec::new(),
            step_infos: Vec::new(),
        };
        let mut problems = Vec::new();
        for (name, component) in components {
            if let Err(reason) = catalog.add(&linker, cache.as_ref(), component) {
                problems.push(Problem { component: (*name).to_owned(), reason });
            }
        }
        catalog.warm();
        Ok((catalog, problems))
    }

    /// The plugins that are there, in the order they were loaded.
    pub fn plugins(&self) -> &[PluginInfo] {
        &self.infos
    }

    /// Makes an instance of the rule bound to `kind`, and keeps it. Nothing if no rule is bound to it.
    pub fn start(&self, kind: &str, reads: Reads) -> Option<Result<Call<'_>, CallError>> {
        let plugin = self.plugin(kind)?;
        Some(Call::start(plugin, &self.engine, reads).map_err(|failed| failed.0))
    }

    fn plugin(&self, kind: &str) -> Option<&Plugin> {
        self.by_kind.get(kind).and_then(|at| self.plugins.get(*at))
    }

    fn add(&mut self, linker: &Linker<State>, cache: Option<&Cache>, component: &[u8]) -> Result<(), LoadError> {
        let manifest = inspect(component)?;
        let name = format!("{}/{}", manifest.publisher, manifest.name);
        if self.infos.iter().any(|there| there.full_name() == name) {
            return Err(LoadError::NameTaken(name));
        }
        if let Provides::Tool { kinds } = &manifest.provides
            && let Some((kind, by)) = kinds.iter().find_map(|kind| Some((kind, self.plugin(kind)?)))
        {
            return Err(LoadError::KindTaken { kind: kind.clone(), by: by.name.clone() });
        }
        let digest = hexadecimal(&Sha256::digest(component));
        let engine = &self.engine.wasmtime;
        let compiled = match cache {
            Some(cache) => cache.compiled(engine, &digest, component),
            None => Component::from_binary(engine, component),
        };
        let unusable = |error: wasmtime::Error| LoadError::Compile(format!("{error:#}"));
        let compiled = compiled.map_err(unusable)?;
        let component = Arc::new(trace::Component {
            plugin: name.clone(),
            version: manifest.version.clone(),
            digest: digest.clone(),
        });
        match &manifest.provides {
            Provides::Tool { kinds } => {
                let rule = Rule::new(linker, &compiled).map_err(unusable)?;
                let limits = self.engine.config.limits.lowered(manifest.limits);
                self.by_kind.extend(kinds.iter().map(|kind| (kind.clone(), self.plugins.len())));
                self.plugins.push(Plugin {
                    name,
                    version: manifest.version.clone(),
                    digest: digest.clone(),
                    component,
                    limits,
                    rule,
                });
            }
            Provides::Step(step) => {
                let prepared = Prepared::new(linker, &compiled).map_err(unusable)?;
                let limits = self.engine.config.step_limits.lowered(manifest.limits);
                let info = StepInfo {
                    name,
                    version: manifest.version.clone(),
                    digest: digest.clone(),
                    after: step.after.clone(),
                    tables: step.tables.clone(),
                    from: step.from.clone(),
                    before: step.before.clone(),
                };
                self.step_infos.push(info.clone());
                self.steps.push(Step { info, component, limits, prepared });
            }
        }
        self.infos.push(PluginInfo::new(manifest, digest));
        Ok(())
    }

    fn step(&self, name: &str) -> Result<&Step, StepFault> {
        let missing = || StepFault {
            step: name.to_owned(),
            code: "step.missing".to_owned(),
            message: "no plugin of this name is a step".to_owned(),
        };
        self.steps.iter().find(|step| step.info.name == name).ok_or_else(missing)
    }

    /// Uses as many slots for each plugin as there are processors, so that no person's request maps its memory first.
    fn warm(&self) {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let count = processors.min(usize::try_from(self.engine.config.slots).unwrap_or(usize::MAX));
        for plugin in &self.plugins {
            let reads = || Reads::new(Arc::new(Snapshot::default()), Arc::new(Facts::default()));
            // The first that fails is the last that is tried; whoever asks the rule will be told.
            let started: Vec<_> = (0..count).map_while(|_| Call::start(plugin, &self.engine, reads()).ok()).collect();
            drop(started);
        }
    }
}

impl ToolRules for Catalog {
    fn evaluate(&self, kind: &str, settings: &str, reads: Reads) -> Option<Evaluation> {
        Some(self.plugin(kind)?.evaluate(&self.engine, kind, settings, reads))
    }

    fn fingerprint(&self) -> String {
        let mut text = String::new();
        for (kind, at) in &self.by_kind {
            if let Some(plugin) = self.plugins.get(*at) {
                // Writing into a string cannot fail.
                let _ = writeln!(text, "{kind} {}", plugin.digest);
            }
        }
        text
    }
}

impl Steps for Catalog {
    fn infos(&self) -> &[StepInfo] {
        &self.step_infos
    }

    fn check(&self, step: &str, page: &Page, library: &Arc<Snapshot>) -> Result<Vec<StepNote>, StepFault> {
        self.step(step)?.check(&self.engine, page, library)
    }

    fn migrate(&self, step: &str, page: &Page, library: &Arc<Snapshot>) -> Result<Migration, StepFault> {
        self.step(step)?.migrate(&self.engine, page, library)
    }
}

impl PluginInfo {
    /// `publisher/name`.
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.publisher, self.name)
    }

    fn new(manifest: Manifest, digest: String) -> Self {
        let Manifest { publisher, name, version, world, description, provides, settings_schema, limits: _ } = manifest;
        let kinds = match provides {
            Provides::Tool { kinds } => kinds,
            Provides::Step(_) => Vec::new(),
        };
        Self { publisher, name, version, world, description, digest, kinds, settings_schema }
    }
}

fn linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasi::link(&mut linker)?;
    v0_1::link(&mut linker)?;
    Ok(linker)
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing into a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
