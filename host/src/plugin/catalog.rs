//! Which ready components are asked, and about what.
//!
//! Immutable: another version, another binding is another catalog. A request goes on with the catalog that it holds, so
//! a call in flight ends on the component it began with. A component that cannot be used leaves the others working; why
//! is on the list of problems, and what it should decide about fails visibly.

pub(in crate::plugin) mod policy;
pub(in crate::plugin) mod queries;
pub(in crate::plugin) mod registrations;
pub(in crate::plugin) mod trial;
pub(in crate::plugin) mod unavailable;

mod dispatch;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use crate::domain::{CallLimits, Capabilities, ConnectorName, RecordingSettings, StepOverride, ToolOverride};
use crate::pipeline::Registration;
use crate::resolve::{Absent, AbsentPart, Reads};
use crate::upgrade::StepInfo;

use self::policy::Policy;
use self::queries::QueryAccess;
use self::registrations::{registration, tool_step_registration};
use self::trial::Trial;
use self::unavailable::UnavailablePlugin;
use super::config::Config;
use super::engine::{Engine, EngineError};
use super::guard::breaker::Health;
use super::inspect::error::LoadError;
use super::load::compiler::Compiler;
use super::load::loader::{Callable, Loader, Ready};
use super::manifest::info::PluginInfo;
use super::manifest::provides::Provides;
use super::manifest::{StepDeclaration, ToolStepDeclaration};
use super::outbound_access::gateway::{Connectors, Granted};
use super::replay::observation::{PendingObservation, StepObserver};
use super::settings::schema::SettingsSchema;
use super::worlds::sequence::ToolStepRegistration;

/// Components by what they are asked about: rules by tool kind, the steps around them, and steps of changes and
/// upgrades.
pub struct Catalog {
    engine: Arc<Engine>,
    members: Vec<Member>,
    infos: Vec<PluginInfo>,
    by_kind: BTreeMap<String, Rule>,
    step_infos: Vec<StepInfo>,
    registrations: Vec<Registration>,
    tool_steps: Vec<ToolStepRegistration>,
    missing: Vec<UnavailablePlugin>,
    /// Who is asked for business records that slugs name.
    queries: Option<QueryAccess>,
    /// What should be asked about a tool kind, or was once, and is not.
    absent: BTreeMap<String, Vec<Absent>>,
}

/// A component that is asked.
struct Member {
    ready: Arc<Ready>,
    /// What it may reach outside of the host.
    outside: Arc<Granted>,
    /// Which of its calls are recorded.
    recording: Option<RecordingSettings>,
}

impl Member {
    /// What is told to `witness` of a call, if it is recorded.
    fn testimony<'a>(&self, witness: Option<StepObserver<'a>>, reads: &Reads) -> Option<PendingObservation<'a>> {
        let (witness, recording, at) = (witness?, self.recording.as_ref()?, jiff::Timestamp::now());
        if !recording.is_on(at) {
            return None;
        }
        let (snapshot, facts) = (Arc::clone(reads.snapshot()?), Arc::clone(reads.shared_facts()));
        Some(PendingObservation { witness, plugin: self.ready.manifest().full_name(), at, snapshot, facts })
    }
}

/// What decides about a tool kind, and what is done when it breaks.
struct Rule {
    bound: Bound,
    policy: Policy,
    /// What the environment lowers of what its calls may use.
    limits: CallLimits,
    trial: Option<Trial>,
}

/// A plugin whose calls are looked at.
pub struct Observed<'a> {
    /// The component that serves.
    pub ready: &'a Arc<Ready>,
    /// Which calls are recorded.
    pub recording: Option<&'a RecordingSettings>,
    /// The version that is tried.
    pub trial: Option<&'a Trial>,
}

/// Where what decides about a tool kind is.
enum Bound {
    /// The component at this place.
    Ready(usize),
    /// The plugin at this place among those that should and cannot.
    UnavailablePlugin(usize),
}

/// What an environment decided about a plugin.
#[derive(Clone, Default)]
pub struct Wanted {
    /// About tools, by their kind.
    pub tools: BTreeMap<String, ToolOverride>,
    /// About steps, by their name.
    pub steps: BTreeMap<String, StepOverride>,
    /// About recording its calls.
    pub recording: Option<RecordingSettings>,
    /// About the version that is tried.
    pub trial: Option<Trial>,
    /// What its component may reach outside of the host, of what it asks for.
    pub granted: Capabilities,
    /// The connectors of the environment.
    pub connectors: Arc<Connectors>,
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
        let loader = Loader::open(cache, config)?;
        let mut catalog = Self::of(&loader);
        let mut problems = Vec::new();
        for (name, component) in components {
            let added = loader.prepare(component, &Compiler::Here).and_then(|ready| catalog.add(ready));
            if let Err(reason) = added {
                problems.push(Problem { component: (*name).to_owned(), reason });
            }
        }
        Ok((catalog, problems))
    }

    /// A catalog of nothing, for components that `loader` makes ready.
    pub fn of(loader: &Loader) -> Self {
        Self {
            engine: Arc::clone(loader.engine()),
            members: Vec::new(),
            infos: Vec::new(),
            by_kind: BTreeMap::new(),
            step_infos: Vec::new(),
            registrations: Vec::new(),
            tool_steps: Vec::new(),
            missing: Vec::new(),
            queries: None,
            absent: BTreeMap::new(),
        }
    }

    /// Adds a component. Refuses one whose name or tool kind is taken.
    pub fn add(&mut self, ready: Arc<Ready>) -> Result<(), LoadError> {
        if let Provides::ToolRule { kinds, .. } = &ready.manifest().provides
            && let Some((kind, rule)) = kinds.iter().find_map(|kind| Some((kind, self.by_kind.get(kind)?)))
        {
            return Err(LoadError::KindTaken { kind: kind.clone(), by: self.name_of(&rule.bound) });
        }
        self.add_after(ready, &Wanted::default())
    }

    /// Adds a component, as the environment wants it. Tool kinds that are taken already it does not get.
    pub fn add_after(&mut self, ready: Arc<Ready>, wanted: &Wanted) -> Result<(), LoadError> {
        let manifest = ready.manifest();
        let name = manifest.full_name();
        if self.infos.iter().any(|there| there.full_name() == name) {
            return Err(LoadError::NameTaken(name));
        }
        match &manifest.provides {
            Provides::ToolRule { kinds, on_fault, default } => {
                for kind in kinds.iter().filter(|kind| !is_waited_for(&self.absent, kind)) {
                    let trial = wanted.trial.clone().filter(|trial| trial.ready.manifest().decides_about(kind));
                    let trial = trial.map(|trial| self.with_way_out(trial, wanted));
                    let wanted = wanted.tools.get(kind).cloned().unwrap_or_default();
                    let limits = wanted.limits;
                    let trial = trial.map(|trial| Trial { limits, ..trial });
                    let on_fault = wanted.on_fault.unwrap_or(*on_fault);
                    let default = wanted.default.or_else(|| default.clone()).unwrap_or_default();
                    let bound = Bound::Ready(self.members.len());
                    let rule = Rule { bound, policy: Policy { on_fault, default }, limits, trial };
                    self.by_kind.entry(kind.clone()).or_insert(rule);
                }
            }
            Provides::ConfigurationSteps { steps } => {
                let digest = ready.digest().as_str();
                let of = |step: &StepDeclaration| {
                    registration(manifest, ready.settings(), digest, step, wanted.steps.get(&step.name))
                };
                self.registrations.extend(steps.iter().map(of));
                self.registrations.sort_by(Registration::order);
            }
            Provides::ToolSteps { steps } => {
                let of = |step: &ToolStepDeclaration| {
                    let (digest, wanted) = (ready.digest().as_str(), wanted.steps.get(&step.name));
                    tool_step_registration(manifest, ready.settings(), digest, step, wanted)
                };
                self.tool_steps.extend(steps.iter().map(of));
                self.tool_steps.sort_by(ToolStepRegistration::order);
            }
            Provides::UpgradeStep(_) => {}
        }
        if let Callable::UpgradeStep(step) = &ready.part {
            self.step_infos.push(step.info.clone());
        }
        self.infos.push(PluginInfo::new(manifest.clone(), ready.digest().to_string()));
        let (asked, gateway) = (&ready.manifest().capabilities, self.engine.config.gateway.clone());
        let outside = Arc::new(Granted::new(asked, &wanted.granted, Arc::clone(&wanted.connectors), gateway));
        self.members.push(Member { ready, outside, recording: wanted.recording.clone() });
        Ok(())
    }

    fn with_way_out(&self, trial: Trial, wanted: &Wanted) -> Trial {
        let (asked, gateway) = (&trial.ready.manifest().capabilities, self.engine.config.gateway.clone());
        let outside = Granted::new(asked, &trial.granted, Arc::clone(&wanted.connectors), gateway);
        Trial { outside: Arc::new(outside), ..trial }
    }

    /// Lets slugs ask `connector` of the environment's, and no other.
    pub fn let_slugs_ask(&mut self, connector: ConnectorName, connectors: Arc<Connectors>) {
        let gateway = self.engine.config.gateway.clone();
        self.queries = Some(QueryAccess::new(connector, connectors, gateway));
    }

    /// Notes a plugin that should be asked and cannot be, so that what it should decide about fails visibly.
    pub fn add_missing(&mut self, missing: UnavailablePlugin) {
        for kind in missing.kinds().into_iter().filter(|kind| !is_waited_for(&self.absent, kind)) {
            let (bound, policy) = (Bound::UnavailablePlugin(self.missing.len()), missing.policy(kind));
            let rule = Rule { bound, policy, limits: CallLimits::default(), trial: None };
            self.by_kind.entry(kind.clone()).or_insert(rule);
        }
        self.registrations.extend(missing.registrations());
        self.registrations.sort_by(Registration::order);
        self.tool_steps.extend(missing.tool_steps());
        self.tool_steps.sort_by(ToolStepRegistration::order);
        self.missing.push(missing);
    }

    /// Notes what should be asked about a tool kind, or was once, and is not. A rule that is waited for keeps the kind
    /// from components that are added after this; one that is bound already has the kind.
    pub fn add_absent(&mut self, kind: &str, absent: Absent) {
        let is_rule = matches!(absent.part, AbsentPart::Rule | AbsentPart::Former);
        if !(is_rule && self.by_kind.contains_key(kind)) {
            self.absent.entry(kind.to_owned()).or_default().push(absent);
        }
    }

    /// The tool kinds for which something is absent, with what it is.
    pub fn all_absent(&self) -> &BTreeMap<String, Vec<Absent>> {
        &self.absent
    }

    /// The tool kinds that a rule is bound to.
    pub fn ruled_kinds(&self) -> impl Iterator<Item = &str> {
        self.by_kind.keys().map(String::as_str)
    }

    /// The steps around rules, in the order in which they are asked.
    pub fn tool_steps(&self) -> &[ToolStepRegistration] {
        &self.tool_steps
    }

    /// The plugins that should be asked and cannot be.
    pub fn missing(&self) -> &[UnavailablePlugin] {
        &self.missing
    }

    fn name_of(&self, bound: &Bound) -> String {
        match bound {
            Bound::Ready(at) => self.infos.get(*at).map(PluginInfo::full_name).unwrap_or_default(),
            Bound::UnavailablePlugin(at) => {
                self.missing.get(*at).map(|missing| missing.name.clone()).unwrap_or_default()
            }
        }
    }

    /// Whether the plugin of this name is asked, or each of its steps, and which hosts outside it does not reach for
    /// now.
    pub fn health(&self, plugin: &str) -> Vec<Health> {
        let member = self.members.iter().find(|member| member.ready.manifest().full_name() == plugin);
        let mut health = member.map(|member| member.ready.health()).unwrap_or_default();
        let silent = self.engine.config.gateway.client.suspended(plugin, Instant::now());
        health.extend(silent.into_iter().map(Health::from));
        health
    }

    /// Returns the rule bound to `kind`, if calls of it are observed.
    pub fn observed(&self, kind: &str) -> Option<Observed<'_>> {
        let Rule { bound: Bound::Ready(at), trial, .. } = self.by_kind.get(kind)? else { return None };
        let Member { ready, recording, .. } = self.members.get(*at)?;
        let observed = Observed { ready, recording: recording.as_ref(), trial: trial.as_ref() };
        (observed.recording.is_some() || observed.trial.is_some()).then_some(observed)
    }

    /// The plugin of this name, if calls of its steps are recorded.
    pub fn observed_steps(&self, plugin: &str) -> Option<Observed<'_>> {
        let member = self.members.iter().find(|member| member.ready.manifest().full_name() == plugin)?;
        let recording = Some(member.recording.as_ref()?);
        Some(Observed { ready: &member.ready, recording, trial: None })
    }

    /// What settings of tools of this kind are held against; nothing if they may be any object.
    pub fn settings(&self, kind: &str) -> Option<&SettingsSchema> {
        let Bound::Ready(at) = self.by_kind.get(kind)?.bound else { return None };
        self.members.get(at)?.ready.settings()
    }

    /// The plugins that are there, in the order they were added.
    pub fn plugins(&self) -> &[PluginInfo] {
        &self.infos
    }
}

/// Whether a plugin that is not asked still answers for the rule of a kind.
fn is_waited_for(absent: &BTreeMap<String, Vec<Absent>>, kind: &str) -> bool {
    absent.get(kind).is_some_and(|absent| absent.iter().any(|it| it.part == AbsentPart::Rule))
}
