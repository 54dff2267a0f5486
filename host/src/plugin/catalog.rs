//! Which ready components are asked, and about what.
//!
//! Immutable: another version, another binding is another catalog. Whoever holds one goes on with it, so a call in flight ends
//! on the component it began with. A component that cannot be used leaves the others working; why is on the list of
//! problems, and what it should decide about fails visibly.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::domain::{CallLimits, Capabilities, RecordingSettings, StepOverride, ToolOverride};
use crate::pipeline::{self, Event, Handlers, Outcome, Refusal, Registration};
use crate::resolve::{Evaluation, Reads, ToolRules};
use crate::store::Snapshot;
use crate::upgrade::{Migration, Page, StepFault, StepInfo, StepNote, Steps};

use super::amendment::Question;
use super::answer::Answer;
use super::around::{self, ToolStepRegistration};
use super::breaker::Health;
use super::call::{Call, CallError, Plugin};
use super::compiler::Compiler;
use super::engine::{Config, Engine, EngineError};
use super::handler::Handler;
use super::info::PluginInfo;
use super::inspect::LoadError;
use super::manifest::{Provides, ToolStepDeclaration};
use super::missing::{Missing, UNSUITED, not_ready, step_not_ready};
use super::observation::{AskedStep, Given, Testimony, Witness};
use super::outside::{Connectors, Outside};
use super::policy::Policy;
use super::registrations::{registration, tool_step_registration};
use super::step::Step;
use super::tool_step::ToolSteps;
use super::trial::Trial;
use super::workshop::{Part, Ready, Workshop};

/// Components by what they are asked about: rules by tool kind, the steps around them, and steps of changes and upgrades.
pub struct Catalog {
    engine: Arc<Engine>,
    members: Vec<Member>,
    infos: Vec<PluginInfo>,
    by_kind: BTreeMap<String, Rule>,
    step_infos: Vec<StepInfo>,
    registrations: Vec<Registration>,
    tool_steps: Vec<ToolStepRegistration>,
    missing: Vec<Missing>,
}

/// A component that is asked.
struct Member {
    ready: Arc<Ready>,
    /// What it may reach outside of the host.
    outside: Arc<Outside>,
    /// Which of its calls are recorded.
    recording: Option<RecordingSettings>,
}

impl Member {
    /// What is told to `witness` of a call, if it is recorded.
    fn testimony<'a>(&self, witness: Option<Witness<'a>>, reads: &Reads) -> Option<Testimony<'a>> {
        let (witness, at) = (witness?, jiff::Timestamp::now());
        self.recording.as_ref().filter(|wanted| wanted.is_on(at))?;
        let (snapshot, facts) = (Arc::clone(reads.snapshot()?), Arc::clone(reads.shared_facts()));
        Some(Testimony { witness, plugin: self.ready.manifest().full_name(), at, snapshot, facts })
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
    Missing(usize),
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
        let workshop = Workshop::open(cache, config)?;
        let mut catalog = Self::of(&workshop);
        let mut problems = Vec::new();
        for (name, component) in components {
            let added = workshop.prepare(component, &Compiler::Here).and_then(|ready| catalog.add(ready));
            if let Err(reason) = added {
                problems.push(Problem { component: (*name).to_owned(), reason });
            }
        }
        Ok((catalog, problems))
    }

    /// A catalog of nothing, for components that `workshop` makes ready.
    pub fn of(workshop: &Workshop) -> Self {
        Self {
            engine: Arc::clone(workshop.engine()),
            members: Vec::new(),
            infos: Vec::new(),
            by_kind: BTreeMap::new(),
            step_infos: Vec::new(),
            registrations: Vec::new(),
            tool_steps: Vec::new(),
            missing: Vec::new(),
        }
    }

    /// Adds a component. Refuses one whose name or tool kind is taken.
    pub fn add(&mut self, ready: Arc<Ready>) -> Result<(), LoadError> {
        if let Provides::Tool { kinds, .. } = &ready.manifest().provides
            && let Some((kind, rule)) = kinds.iter().find_map(|kind| Some((kind, self.by_kind.get(kind)?)))
        {
            return Err(LoadError::KindTaken { kind: kind.clone(), by: self.name_of(&rule.bound) });
        }
        self.add_behind(ready, &Wanted::default())
    }

    /// Adds a component, as the environment wants it. Tool kinds that are taken already it does not get.
    pub fn add_behind(&mut self, ready: Arc<Ready>, wanted: &Wanted) -> Result<(), LoadError> {
        let manifest = ready.manifest();
        let name = manifest.full_name();
        if self.infos.iter().any(|there| there.full_name() == name) {
            return Err(LoadError::NameTaken(name));
        }
        match &manifest.provides {
            Provides::Tool { kinds, on_fault, default } => {
                for kind in kinds {
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
            Provides::Handler { steps } => {
                let digest = ready.digest().as_str();
                let registered = steps.iter().map(|it| registration(manifest, digest, it, wanted.steps.get(&it.name)));
                self.registrations.extend(registered);
                self.registrations.sort_by(Registration::order);
            }
            Provides::ToolSteps { steps } => {
                let of = |step: &ToolStepDeclaration| {
                    tool_step_registration(manifest, ready.digest().as_str(), step, wanted.steps.get(&step.name))
                };
                self.tool_steps.extend(steps.iter().map(of));
                self.tool_steps.sort_by(ToolStepRegistration::order);
            }
            Provides::Step(_) => {}
        }
        if let Part::Step(step) = &ready.part {
            self.step_infos.push(step.info.clone());
        }
        self.infos.push(PluginInfo::new(manifest.clone(), ready.digest().to_string()));
        let (asked, door) = (&ready.manifest().capabilities, self.engine.config.door.clone());
        let outside = Arc::new(Outside::new(asked, &wanted.granted, Arc::clone(&wanted.connectors), door));
        self.members.push(Member { ready, outside, recording: wanted.recording.clone() });
        Ok(())
    }

    fn with_way_out(&self, trial: Trial, wanted: &Wanted) -> Trial {
        let (asked, door) = (&trial.ready.manifest().capabilities, self.engine.config.door.clone());
        let outside = Outside::new(asked, &trial.granted, Arc::clone(&wanted.connectors), door);
        Trial { outside: Arc::new(outside), ..trial }
    }

    /// Notes a plugin that should be asked and cannot be, so that what it should decide about fails visibly.
    pub fn add_missing(&mut self, missing: Missing) {
        for kind in missing.kinds() {
            let (bound, policy) = (Bound::Missing(self.missing.len()), missing.policy(kind));
            let rule = Rule { bound, policy, limits: CallLimits::default(), trial: None };
            self.by_kind.entry(kind.clone()).or_insert(rule);
        }
        self.registrations.extend(missing.registrations());
        self.registrations.sort_by(Registration::order);
        self.tool_steps.extend(missing.tool_steps());
        self.tool_steps.sort_by(ToolStepRegistration::order);
        self.missing.push(missing);
    }

    /// The steps around rules, in the order in which they are asked.
    pub fn tool_steps(&self) -> &[ToolStepRegistration] {
        &self.tool_steps
    }

    /// The plugins that should be asked and cannot be.
    pub fn missing(&self) -> &[Missing] {
        &self.missing
    }

    fn name_of(&self, bound: &Bound) -> String {
        match bound {
            Bound::Ready(at) => self.infos.get(*at).map(PluginInfo::full_name).unwrap_or_default(),
            Bound::Missing(at) => self.missing.get(*at).map(|missing| missing.name.clone()).unwrap_or_default(),
        }
    }

    /// Whether the plugin of this name is asked, or each of its steps.
    pub fn health(&self, plugin: &str) -> Vec<Health> {
        let member = self.members.iter().find(|member| member.ready.manifest().full_name() == plugin);
        member.map(|member| member.ready.health()).unwrap_or_default()
    }

    /// The rule bound to `kind`, if somebody wants to look at its calls.
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

    /// What the rule bound to `kind` says of its settings.
    pub fn settings_schema(&self, kind: &str) -> Option<&Map<String, Value>> {
        let Bound::Ready(at) = self.by_kind.get(kind)?.bound else { return None };
        self.infos.get(at)?.settings_schema.as_ref()
    }

    /// The plugins that are there, in the order they were added.
    pub fn plugins(&self) -> &[PluginInfo] {
        &self.infos
    }

    /// Makes an instance of the rule bound to `kind`, and keeps it. Nothing if no rule is bound to it.
    pub fn start(&self, kind: &str, reads: Reads) -> Option<Result<Call<'_>, CallError>> {
        let Rule { bound: Bound::Ready(at), limits, .. } = self.by_kind.get(kind)? else { return None };
        let (rule, outside) = self.rule(*at)?;
        Some(Call::start(rule, &self.engine, reads, rule.means(*limits, outside)).map_err(|failed| failed.0))
    }

    fn rule(&self, at: usize) -> Option<(&Plugin, &Arc<Outside>)> {
        let Member { ready, outside, .. } = self.members.get(at)?;
        match &ready.part {
            Part::Rule(plugin) => Some((plugin, outside)),
            Part::Step(_) | Part::Handler(_) | Part::ToolSteps(_) => None,
        }
    }

    /// Asks the rule bound to `kind` alone. Nothing if no rule is bound to it.
    fn ask_rule(&self, kind: &str, settings: &str, reads: Reads) -> Option<Evaluation> {
        let Rule { bound, policy, limits, trial } = self.by_kind.get(kind)?;
        let trial = trial.as_ref().filter(|trial| trial.reaches(reads.facts()));
        let tried = trial.and_then(|trial| trial.evaluate(&self.engine, kind, settings, reads.anew()));
        let passed_over = match tried {
            Some(evaluation) if evaluation.outcome.is_ok() => return Some(evaluation),
            // That it was not asked depends on the time, and says nothing about it.
            Some(broken) => broken.outcome.err().filter(|fault| !Answer::is_no_answer(&fault.code)),
            None => None,
        };
        let (key, evaluation) = match bound {
            Bound::Ready(at) => {
                let (rule, outside) = self.rule(*at)?;
                let key = policy.remembers(&rule.name, kind, settings, &reads);
                (key, rule.evaluate(&self.engine, kind, settings, reads, rule.means(*limits, outside)))
            }
            Bound::Missing(at) => {
                let missing = self.missing.get(*at)?;
                let key = policy.remembers(&missing.name, kind, settings, &reads);
                (key, missing.evaluation(reads))
            }
        };
        let evaluation = policy.apply(evaluation, key, &self.engine.last_good);
        Some(Evaluation { passed_over, ..evaluation })
    }

    /// Asks a step around rules. `settings` are those of the tool. A call that is recorded is told to `witness`.
    fn ask_tool_step(
        &self,
        settings: &str,
        step: &ToolStepRegistration,
        question: &Question<'_>,
        reads: Reads,
        witness: Option<Witness<'_>>,
    ) -> around::Answer {
        let Some((steps, member)) = self.tool_step(step) else {
            let missing = self.missing.iter().find(|missing| missing.name == step.plugin);
            let reason = missing.map_or("its component is not there", |missing| &missing.reason);
            return (Err(not_ready(&step.plugin, step.version, reason)), Vec::new());
        };
        if step.problem.is_some() {
            return (Err(not_ready(&step.plugin, step.version, UNSUITED)), Vec::new());
        }
        let Some(testimony) = member.testimony(witness, &reads) else {
            let (answer, reads) = steps.execute(&self.engine, step, question, reads, &member.outside);
            return (answer, reads.into_recorded());
        };
        let reads = reads.keeping_outside();
        let (answer, mut reads) = steps.execute(&self.engine, step, question, reads, &member.outside);
        testimony.give(Given {
            tool: question.tool,
            settings: question.settings,
            step: AskedStep::around_tool(&step.step, &step.configuration, question),
            answer: Answer::from(&answer),
            outside: reads.take_outside(),
            is_derived: question.settings != settings || question.decision.is_some(),
        });
        (answer, reads.into_recorded())
    }

    /// Asks a step about a change of configuration. A call that is recorded is told to `witness`.
    pub fn execute_seen(
        &self,
        step: &Registration,
        event: &Event,
        library: &Arc<Snapshot>,
        witness: Option<Witness<'_>>,
    ) -> Result<Outcome, pipeline::StepFault> {
        if let Some(missing) = self.missing.iter().find(|it| it.name == step.plugin && it.digest == step.digest) {
            return Err(missing.step_fault());
        }
        if step.problem.is_some() {
            return Err(step_not_ready(UNSUITED));
        }
        let gone = || pipeline::StepFault {
            code: "plugin.not-ready".to_owned(),
            message: "its component is not there".to_owned(),
            retry_after: None,
        };
        let (handler, member) = self.handler(step).ok_or_else(gone)?;
        let reads = Reads::new(Arc::clone(library), Arc::default());
        let Some(testimony) = member.testimony(witness, &reads) else {
            return handler.execute(&self.engine, step, event, reads, &member.outside).0;
        };
        let reads = reads.keeping_outside();
        let (answer, mut reads) = handler.execute(&self.engine, step, event, reads, &member.outside);
        testimony.give(Given {
            tool: &event.message,
            settings: "{}",
            step: AskedStep::about_change(&step.step, &step.configuration, event),
            answer: Answer::from(&answer),
            outside: reads.take_outside(),
            is_derived: !event.shared.is_empty(),
        });
        answer
    }

    /// Asks the rule bound to `kind`, and the steps around it. A call of a step that is recorded is told to `witness`.
    pub fn evaluate_seen(
        &self,
        kind: &str,
        settings: &str,
        reads: Reads,
        witness: Option<Witness<'_>>,
    ) -> Option<Evaluation> {
        let steps: Vec<_> = self.tool_steps.iter().filter(|step| step.concerns(kind)).collect();
        if steps.is_empty() {
            return self.ask_rule(kind, settings, reads);
        }
        let ask = |step: &ToolStepRegistration, question: &Question<'_>, reads| {
            self.ask_tool_step(settings, step, question, reads, witness)
        };
        let rule = |settings: &str, reads| self.ask_rule(kind, settings, reads);
        Some(around::evaluate(kind, settings, &reads, &steps, &ask, &rule))
    }

    /// What calls of a rule may use, in the fingerprint: nothing unless the environment lowers it.
    fn lowered(&self, rule: &Rule) -> String {
        let Bound::Ready(at) = rule.bound else { return String::new() };
        self.rule(at).map(|(plugin, _)| plugin.limits.lowering(rule.limits)).unwrap_or_default()
    }

    fn tool_step(&self, step: &ToolStepRegistration) -> Option<(&ToolSteps, &Member)> {
        self.members.iter().find_map(|member| match &member.ready.part {
            Part::ToolSteps(steps) if member.ready.digest().as_str() == step.digest => Some((steps, member)),
            _ => None,
        })
    }

    fn handler(&self, step: &Registration) -> Option<(&Handler, &Member)> {
        self.members.iter().find_map(|member| match &member.ready.part {
            Part::Handler(handler) if member.ready.digest().as_str() == step.digest => Some((handler, member)),
            _ => None,
        })
    }

    fn step(&self, name: &str) -> Result<&Step, StepFault> {
        let missing = || StepFault {
            step: name.to_owned(),
            code: "step.missing".to_owned(),
            message: "no plugin of this name is a step".to_owned(),
        };
        let steps = self.members.iter().filter_map(|member| match &member.ready.part {
            Part::Step(step) => Some(step),
            Part::Rule(_) | Part::Handler(_) | Part::ToolSteps(_) => None,
        });
        steps.into_iter().find(|step| step.info.name == name).ok_or_else(missing)
    }
}

impl ToolRules for Catalog {
    fn evaluate(&self, kind: &str, settings: &str, reads: Reads) -> Option<Evaluation> {
        self.evaluate_seen(kind, settings, reads, None)
    }

    fn fingerprint(&self) -> String {
        let mut text = String::new();
        for (kind, rule) in &self.by_kind {
            let digest = match &rule.bound {
                Bound::Ready(at) => self.rule(*at).map(|(plugin, _)| plugin.digest.as_str()),
                Bound::Missing(at) => self.missing.get(*at).map(|missing| missing.digest.as_str()),
            };
            let had = match &rule.bound {
                Bound::Ready(at) => self.rule(*at).map(|(_, outside)| outside.had()).filter(|had| !had.is_empty()),
                Bound::Missing(_) => None,
            };
            let had = had.map_or_else(String::new, |had| format!(" {had}"));
            // Writing into a string cannot fail.
            let _ = writeln!(text, "{kind} {}{had}{}", digest.unwrap_or_default(), self.lowered(rule));
            if let Some(trial @ Trial { ready, rollout, .. }) = rule.trial.as_ref().filter(|it| !it.rollout.shadows()) {
                let _ = writeln!(text, "{kind} {} {}{}", ready.digest(), serde_json::json!(rollout), trial.lowered());
            }
        }
        for registration in &self.tool_steps {
            let ToolStepRegistration {
                digest,
                step,
                resources,
                stage,
                rank,
                on_fault,
                configuration,
                limits,
                active,
                ..
            } = registration;
            let (stage, on_fault) = (u32::from(*stage), on_fault.as_str());
            let asked = self.tool_step(registration);
            let had = asked.map(|(_, member)| member.outside.had()).filter(|had| !had.is_empty());
            let had = had.map_or_else(String::new, |had| format!(" {had}"));
            let lowered = asked.map(|(steps, _)| steps.limits.lowering(*limits)).unwrap_or_default();
            let step = serde_json::json!([digest, step, resources, stage, rank, on_fault, configuration, active]);
            let _ = writeln!(text, "{step}{had}{lowered}");
        }
        text
    }
}

impl Handlers for Catalog {
    fn registrations(&self) -> &[Registration] {
        &self.registrations
    }

    fn execute(
        &self,
        step: &Registration,
        event: &Event,
        library: &Arc<Snapshot>,
    ) -> Result<Outcome, pipeline::StepFault> {
        self.execute_seen(step, event, library, None)
    }

    fn incomplete(&self) -> Option<Refusal> {
        let Missing { name, version, reason, .. } = self.missing.iter().find(|missing| missing.manifest.is_none())?;
        Some(Refusal::Unknown { plugin: name.clone(), version: version.to_string(), reason: reason.clone() })
    }

    fn disbelieve(&self, step: &Registration, event: &Event, fault: &pipeline::StepFault) {
        if let Some((handler, _)) = self.handler(step) {
            handler.disbelieve(&self.engine, step, event, fault);
        }
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
