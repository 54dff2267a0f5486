//! Where components are made ready: inspected, compiled or found in the cache, bound to their imports, tried.
//!
//! Knows one component at a time. Which of them are asked, and about what, is said by a [`Catalog`](super::Catalog).

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::thread;

use wasmtime::component::{Component, Linker};

use crate::domain::{CallLimits, Digest, trace};
use crate::resolve::{Facts, Reads};
use crate::store::Snapshot;
use crate::upgrade::StepInfo;

use super::compiler::Compiler;
use crate::plugin::config::Config;
use crate::plugin::engine::cache::Cache;
use crate::plugin::engine::{Engine, EngineError};
use crate::plugin::guard::Guard;
use crate::plugin::guard::breaker::Health;
use crate::plugin::guard::budget::Share;
use crate::plugin::inspect::error::LoadError;
use crate::plugin::inspect::signature::Signatures;
use crate::plugin::inspect::{identify, identity, inspect, manifest_of, manifest_text, may_take_part};
use crate::plugin::limits::call_limits::Limits;
use crate::plugin::limits::weight::Weight;
use crate::plugin::manifest::provides::Provides;
use crate::plugin::manifest::{Identity, Manifest};
use crate::plugin::sandbox::call::{self as sandbox, CallBudget, Callee};
use crate::plugin::sandbox::state::State;
use crate::plugin::sandbox::trap;
use crate::plugin::settings::schema::SettingsSchema;
use crate::plugin::worlds::configuration_step::ConfigurationSteps;
use crate::plugin::worlds::linker::linker;
use crate::plugin::worlds::tool_rule::{Call, ToolRule};
use crate::plugin::worlds::tool_step::ToolSteps;
use crate::plugin::worlds::upgrade_step::UpgradeStep;
use crate::plugin::worlds::v0_1::PreparedToolRule;
use crate::plugin::worlds::v0_1::configuration::PreparedConfigurationStep as PreparedHandler;
use crate::plugin::worlds::v0_1::evaluation::PreparedToolStep;
use crate::plugin::worlds::v0_1::upgrade::PreparedUpgradeStep as Prepared;

/// Makes components ready for one engine.
pub struct Loader {
    engine: Arc<Engine>,
    light: Linker<State>,
    heavy: Linker<State>,
    cache: Option<Cache>,
}

/// A component that is ready to be asked.
pub struct Ready {
    manifest: Manifest,
    digest: Digest,
    pub(in crate::plugin) part: Callable,
}

/// What a component does.
pub(in crate::plugin) enum Callable {
    /// It decides about tools.
    ToolRule(ToolRule),
    /// It is a step of upgrades.
    UpgradeStep(UpgradeStep),
    /// It takes part in changes of configuration.
    ConfigurationSteps(ConfigurationSteps),
    /// It has steps around rules.
    ToolSteps(ToolSteps),
}

impl Loader {
    /// A loader that keeps compiled code in the folder `cache`, if one is given.
    pub fn open(cache: Option<&Path>, config: Config) -> Result<Self, EngineError> {
        let engine = Engine::new(config)?;
        let linker = |weight| linker(engine.wasmtime(weight)).map_err(|error| EngineError::new(&error));
        let (light, heavy) = (linker(Weight::Light)?, linker(Weight::Heavy)?);
        let cache = cache.and_then(|folder| {
            let keys = engine.config.keys.as_deref().unwrap_or(folder);
            let opened = Cache::open(folder, keys);
            opened.map_err(|error| tracing::warn!(%error, "no compiled code in `{}`", folder.display())).ok()
        });
        if let Some(Err(error)) = cache.as_ref().map(|cache| cache.tidy(engine.wasmtime(Weight::Light))) {
            tracing::warn!(%error, "old compiled code could not be taken away");
        }
        Ok(Self { engine: Arc::new(engine), light, heavy, cache })
    }

    /// Who a component says it is, and who signed it. Nothing else of it is looked at.
    pub fn identify(component: &[u8]) -> Result<(Identity, Signatures), LoadError> {
        guarded(|| identify(component))
    }

    /// Who a component says it is, whatever is wrong with its signatures.
    pub fn identity(component: &[u8]) -> Result<Identity, LoadError> {
        guarded(|| identity(component))
    }

    /// Reads the manifest of a component that is fit to be compiled. Nothing is compiled or run.
    pub fn inspect(component: &[u8]) -> Result<Manifest, LoadError> {
        guarded(|| inspect(component))
    }

    /// What a component says about itself, whatever else is wrong with it.
    pub fn manifest(component: &[u8]) -> Option<Manifest> {
        guarded(|| manifest_of(component).ok_or(LoadError::NoManifest)).ok()
    }

    /// Whether a component may want to take part in changes, whatever it says about itself.
    pub fn may_take_part(component: &[u8]) -> bool {
        guarded(|| Ok(may_take_part(component))).unwrap_or(true)
    }

    /// The same, as it stands in it.
    pub fn manifest_text(component: &[u8]) -> Option<&str> {
        manifest_text(component)
    }

    /// What a component of so many bytes said about itself in `text`.
    pub fn manifest_in(text: &str, bytes: u64) -> Option<Manifest> {
        guarded(|| Manifest::said(text, Weight::of_size(bytes)).ok_or(LoadError::NoManifest)).ok()
    }

    /// The identity of a component.
    pub fn digest(component: &[u8]) -> Digest {
        Digest::of(component)
    }

    /// Makes a component ready. What the cache does not have is compiled by `compiler`.
    pub fn prepare(&self, component: &[u8], compiler: &Compiler) -> Result<Arc<Ready>, LoadError> {
        guarded(|| self.made_ready(component, compiler))
    }

    fn made_ready(&self, component: &[u8], compiler: &Compiler) -> Result<Arc<Ready>, LoadError> {
        let manifest = inspect(component)?;
        let digest = Digest::of(component);
        let weight = Weight::of(component);
        let engine = self.engine.wasmtime(weight);
        let compiled = self.compiled(engine, component, &digest, compiler)?;
        // The process that compiles has built the same first, within limits of its own.
        manifest.settings()?;
        let ready = self.bind(manifest, digest, weight, &compiled)?;
        self.warm(&ready);
        Ok(Arc::new(ready))
    }

    /// Makes an instance and throws it away, which runs start code in this process: an export that has other types than
    /// its world says shows only then.
    pub fn fits(&self, ready: &Ready) -> Result<(), LoadError> {
        let engine = &self.engine;
        let nothing = Arc::default();
        let weight = ready.weight();
        // Below its slot, so that the instance is gone when that is given back. Without a slot, the first question will
        // show it.
        let Some(_slot) = engine.slot(weight) else { return Ok(()) };
        let made = |component: &Arc<trace::Component>, limits: &Limits| {
            let reads = Reads::new(Arc::default(), Arc::default());
            let budget = CallBudget { limits: *limits, outside: &nothing, share: Share::Alone };
            sandbox::store(engine, Callee { weight, component }, reads, budget)
        };
        let fits = match &ready.part {
            Callable::ToolRule(ToolRule { component, limits, rule, .. }) => {
                rule.instantiate(&mut made(component, limits)).map(drop)
            }
            Callable::UpgradeStep(UpgradeStep { component, limits, prepared, .. }) => {
                prepared.instantiate(&mut made(component, limits)).map(drop)
            }
            Callable::ConfigurationSteps(ConfigurationSteps { component, limits, prepared, .. }) => {
                prepared.instantiate(&mut made(component, limits)).map(drop)
            }
            Callable::ToolSteps(ToolSteps { component, limits, prepared, .. }) => {
                prepared.instantiate(&mut made(component, limits)).map(drop)
            }
        };
        match fits {
            // A caller is told of every other fault.
            Err(error) if trap::is_unfit(&error) => Err(LoadError::Misfit(format!("{error:#}"))),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Bytes of the code that is kept of a component; 0 if it was never compiled here.
    pub fn kept_code(&self, digest: &Digest) -> u64 {
        let engine = self.engine.wasmtime(Weight::Light);
        self.cache.as_ref().map_or(0, |cache| cache.size(engine, digest.as_str()))
    }

    /// Takes compiled code away that is not of `needed` components, but for some of the newest.
    pub fn keep_code(&self, needed: &HashSet<Digest>) {
        let engine = self.engine.wasmtime(Weight::Light);
        let tidied =
            self.cache.as_ref().map(|cache| cache.keep(engine, |digest| needed.iter().any(|it| it.as_str() == digest)));
        if let Some(Err(error)) = tidied {
            tracing::warn!(%error, "compiled code that is not needed could not be taken away");
        }
    }

    pub(in crate::plugin) fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    fn linker(&self, weight: Weight) -> &Linker<State> {
        match weight {
            Weight::Light => &self.light,
            Weight::Heavy => &self.heavy,
        }
    }

    fn compiled(
        &self,
        engine: &wasmtime::Engine,
        component: &[u8],
        digest: &Digest,
        compiler: &Compiler,
    ) -> Result<Component, LoadError> {
        let unusable = |error: wasmtime::Error| blame(&error, LoadError::Compile);
        match (compiler, &self.cache) {
            (Compiler::Here, None) => Component::from_binary(engine, component).map_err(unusable),
            (Compiler::Here, Some(cache)) => cache.compiled(engine, digest.as_str(), component).map_err(unusable),
            (Compiler::Child(child), cache) => {
                let cache = cache.as_ref().ok_or_else(|| {
                    LoadError::Unavailable("the folder for compiled code cannot be used: look at the log".to_owned())
                })?;
                if let Some(ready) = cache.find(engine, digest.as_str()) {
                    return Ok(ready);
                }
                let code = child.compile(component)?;
                cache.adopt(engine, digest.as_str(), &code).map_err(unusable)
            }
        }
    }

    fn bind(
        &self,
        manifest: Manifest,
        digest: Digest,
        weight: Weight,
        compiled: &Component,
    ) -> Result<Ready, LoadError> {
        let unusable = |error: wasmtime::Error| blame(&error, LoadError::Misfit);
        let name = manifest.full_name();
        let version = manifest.version.to_string();
        let component =
            Arc::new(trace::Component { plugin: name.clone(), version: version.clone(), digest: digest.to_string() });
        let (config, linker) = (&self.engine.config, self.linker(weight));
        let bulkhead = self.engine.bulkheads.of(&name, weight, config);
        let part = match &manifest.provides {
            Provides::ToolRule { .. } => {
                let rule = PreparedToolRule::new(linker, compiled).map_err(unusable)?;
                let limits = config.limits.for_weight(weight).lowered(manifest.limits);
                let guard = Guard::new(config, &name, bulkhead, []);
                Callable::ToolRule(ToolRule {
                    name,
                    version,
                    digest: digest.to_string(),
                    component,
                    weight,
                    limits,
                    guard,
                    rule,
                })
            }
            Provides::UpgradeStep(step) => {
                let prepared = Prepared::new(linker, compiled).map_err(unusable)?;
                let limits = config.upgrade_step_limits.for_weight(weight).lowered(manifest.limits);
                let info = StepInfo {
                    name,
                    version,
                    digest: digest.to_string(),
                    after: step.after.clone(),
                    tables: step.tables.clone(),
                    from: step.from.clone(),
                    before: step.before.clone(),
                };
                Callable::UpgradeStep(UpgradeStep { info, component, weight, limits, prepared })
            }
            Provides::ConfigurationSteps { steps } => {
                let prepared = PreparedHandler::new(linker, compiled).map_err(unusable)?;
                let limits = config.configuration_step_limits.for_weight(weight).lowered(manifest.limits);
                let guard = Guard::new(config, &name, bulkhead, steps.iter().map(|step| step.name.clone()));
                Callable::ConfigurationSteps(ConfigurationSteps { component, weight, limits, guard, prepared })
            }
            Provides::ToolSteps { steps } => {
                let prepared = PreparedToolStep::new(linker, compiled).map_err(unusable)?;
                let limits = config.limits.for_weight(weight).lowered(manifest.limits);
                let guard = Guard::new(config, &name, bulkhead, steps.iter().map(|step| step.name.clone()));
                Callable::ToolSteps(ToolSteps { component, weight, limits, guard, prepared })
            }
        };
        Ok(Ready { manifest, digest, part })
    }

    /// Uses as many slots for a rule as there are processors, so that no person's request maps its memory first. Three
    /// quarters of the slots are left to questions meanwhile.
    fn warm(&self, ready: &Ready) {
        let Callable::ToolRule(plugin) = &ready.part else { return };
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let count = warmed(processors, self.engine.config.slots_for(plugin.weight));
        let reads = || Reads::new(Arc::new(Snapshot::default()), Arc::new(Facts::default()));
        let nothing = Arc::default();
        let budget = plugin.means(CallLimits::default(), &nothing);
        // Ends with the first instance that fails; a caller of the rule will be told.
        let started: Vec<_> =
            (0..count).map_while(|_| Call::start(plugin, &self.engine, reads(), budget).ok()).collect();
        drop(started);
    }
}

impl Ready {
    /// What the component says about itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What settings of it are held against, or configurations of its steps; nothing if it takes any object.
    pub fn settings(&self) -> Option<&SettingsSchema> {
        self.manifest.settings_schema.as_deref()?.built()
    }

    /// Whether the component is asked, or each of its steps.
    pub fn health(&self) -> Vec<Health> {
        match &self.part {
            Callable::ToolRule(plugin) => plugin.guard.health(),
            Callable::ConfigurationSteps(handler) => handler.guard.health(),
            Callable::ToolSteps(steps) => steps.guard.health(),
            Callable::UpgradeStep(_) => Vec::new(),
        }
    }

    /// The identity of the component.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// In which pool it runs.
    pub(in crate::plugin) fn weight(&self) -> Weight {
        match &self.part {
            Callable::ToolRule(ToolRule { weight, .. })
            | Callable::UpgradeStep(UpgradeStep { weight, .. })
            | Callable::ConfigurationSteps(ConfigurationSteps { weight, .. })
            | Callable::ToolSteps(ToolSteps { weight, .. }) => *weight,
        }
    }
}

/// What is wrong with a component, unless the system was short of something.
fn blame(error: &wasmtime::Error, wrong: fn(String) -> LoadError) -> LoadError {
    let what = format!("{error:#}");
    if trap::is_of_the_system(error) {
        return LoadError::Unavailable(format!("the machine is short of memory or of files: {what}"));
    }
    wrong(what)
}

/// Looks at what a plugin's author made. If the host panics over it, that is what is wrong with it, and nothing else
/// ends.
fn guarded<T>(look: impl FnOnce() -> Result<T, LoadError>) -> Result<T, LoadError> {
    // What is shared with others behind it (slots, bulkheads, the cache) is whole after every line.
    catch_unwind(AssertUnwindSafe(look)).unwrap_or(Err(LoadError::Broke))
}

/// How many of so many slots start code of a rule may take at once.
fn warmed(processors: usize, slots: u32) -> usize {
    processors.min(usize::try_from(slots / 4).unwrap_or(usize::MAX)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_over_a_component_is_what_is_wrong_with_it() {
        let refused = guarded::<()>(|| panic!("as a library may")).unwrap_err();
        assert!(matches!(refused, LoadError::Broke), "{refused}");
    }

    #[test]
    fn start_code_takes_a_quarter_of_the_slots_at_most() {
        for (processors, slots, expected) in [(2, 64, 2), (16, 64, 16), (96, 64, 16), (8, 4, 1), (8, 1, 1)] {
            assert_eq!(warmed(processors, slots), expected, "{processors} processors, {slots} slots");
        }
    }
}
