//! How a catalog is asked: about tools, about changes of configuration, about pages of old environments.
//!
//! Finds who answers and hands the question over. What cannot be asked fails visibly.

use std::fmt::Write as _;
use std::sync::Arc;

use super::queries::{AnswerQueries, QueryAccess};
use super::trial::Trial;
use super::unavailable::{UNSUITED, UnavailablePlugin, not_ready, step_not_ready};
use crate::domain::Effort;
use crate::pipeline;
use crate::pipeline::{Event, Handlers, Outcome, Refusal, Registration};
use crate::plugin::limits::call_error::CallError;
use crate::plugin::load::loader::Callable;
use crate::plugin::outbound_access::gateway::Granted;
use crate::plugin::replay::answer::Answer;
use crate::plugin::replay::observation::{AskedStep, StepIo, StepObserver};
use crate::plugin::worlds::amendment::Question;
use crate::plugin::worlds::configuration_step::ConfigurationSteps;
use crate::plugin::worlds::sequence as around;
use crate::plugin::worlds::sequence::ToolStepRegistration;
use crate::plugin::worlds::tool_rule::{Call, ToolRule};
use crate::plugin::worlds::tool_step::ToolSteps;
use crate::plugin::worlds::upgrade_step::UpgradeStep;
use crate::resolve::{Absent, Evaluation, Queries, Reads, ToolRules};
use crate::store::Snapshot;
use crate::upgrade::{Migration, Page, StepFault, StepInfo, StepNote, Steps};

use super::{Bound, Catalog, Member, Rule};

impl Catalog {
    /// Makes an instance of the rule bound to `kind`, and keeps it. Nothing if no rule is bound to it.
    pub fn start(&self, kind: &str, reads: Reads) -> Option<Result<Call<'_>, CallError>> {
        let Rule { bound: Bound::Ready(at), limits, .. } = self.by_kind.get(kind)? else { return None };
        let (rule, outside) = self.rule(*at)?;
        Some(Call::start(rule, &self.engine, reads, rule.means(*limits, outside)).map_err(|failed| failed.0))
    }

    fn rule(&self, at: usize) -> Option<(&ToolRule, &Arc<Granted>)> {
        let Member { ready, outside, .. } = self.members.get(at)?;
        match &ready.part {
            Callable::ToolRule(plugin) => Some((plugin, outside)),
            Callable::UpgradeStep(_) | Callable::ConfigurationSteps(_) | Callable::ToolSteps(_) => None,
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
            Bound::UnavailablePlugin(at) => {
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
        witness: Option<StepObserver<'_>>,
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
        testimony.give(StepIo {
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
        effort: &Arc<Effort>,
        witness: Option<StepObserver<'_>>,
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
        let reads = Reads::new(Arc::clone(library), Arc::default()).within(Arc::clone(effort));
        let Some(testimony) = member.testimony(witness, &reads) else {
            return handler.execute(&self.engine, step, event, reads, &member.outside).0;
        };
        let reads = reads.keeping_outside();
        let (answer, mut reads) = handler.execute(&self.engine, step, event, reads, &member.outside);
        testimony.give(StepIo {
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
        witness: Option<StepObserver<'_>>,
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
            Callable::ToolSteps(steps) if member.ready.digest().as_str() == step.digest => Some((steps, member)),
            _ => None,
        })
    }

    fn handler(&self, step: &Registration) -> Option<(&ConfigurationSteps, &Member)> {
        self.members.iter().find_map(|member| match &member.ready.part {
            Callable::ConfigurationSteps(handler) if member.ready.digest().as_str() == step.digest => {
                Some((handler, member))
            }
            _ => None,
        })
    }

    fn step(&self, name: &str) -> Result<&UpgradeStep, StepFault> {
        let missing = || StepFault {
            step: name.to_owned(),
            code: "step.missing".to_owned(),
            message: "no plugin of this name is a step".to_owned(),
        };
        let steps = self.members.iter().filter_map(|member| match &member.ready.part {
            Callable::UpgradeStep(step) => Some(step),
            Callable::ToolRule(_) | Callable::ConfigurationSteps(_) | Callable::ToolSteps(_) => None,
        });
        steps.into_iter().find(|step| step.info.name == name).ok_or_else(missing)
    }
}

impl ToolRules for Catalog {
    fn has_rule(&self, kind: &str) -> bool {
        self.by_kind.contains_key(kind)
    }

    fn absent(&self, kind: &str) -> &[Absent] {
        self.absent.get(kind).map(Vec::as_slice).unwrap_or_default()
    }

    fn evaluate(&self, kind: &str, settings: &str, reads: Reads) -> Option<Evaluation> {
        self.evaluate_seen(kind, settings, reads, None)
    }

    fn queries(&self) -> Option<Box<dyn Queries + '_>> {
        let access = self.queries.as_ref()?;
        Some(Box::new(AnswerQueries::new(access, &self.engine)))
    }

    fn fingerprint(&self) -> String {
        let mut text = String::new();
        if let Some(QueryAccess { connector, .. }) = &self.queries {
            // Writing into a string cannot fail.
            let _ = writeln!(text, "slugs ask {connector}");
        }
        for (kind, rule) in &self.by_kind {
            let digest = match &rule.bound {
                Bound::Ready(at) => self.rule(*at).map(|(plugin, _)| plugin.digest.as_str()),
                Bound::UnavailablePlugin(at) => self.missing.get(*at).map(|missing| missing.digest.as_str()),
            };
            let had = match &rule.bound {
                Bound::Ready(at) => self.rule(*at).map(|(_, outside)| outside.granted()).filter(|had| !had.is_empty()),
                Bound::UnavailablePlugin(_) => None,
            };
            let had = had.map_or_else(String::new, |had| format!(" {had}"));
            // Writing into a string cannot fail.
            let _ = writeln!(text, "{kind} {}{had}{}", digest.unwrap_or_default(), self.lowered(rule));
            if let Some(trial @ Trial { ready, rollout, outside, .. }) =
                rule.trial.as_ref().filter(|it| !it.rollout.shadows())
            {
                let had = Some(outside.granted()).filter(|had| !had.is_empty());
                let had = had.map_or_else(String::new, |had| format!(" {had}"));
                let rollout = serde_json::json!(rollout);
                let _ = writeln!(text, "{kind} {} {rollout}{had}{}", ready.digest(), trial.lowered());
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
            let had = asked.map(|(_, member)| member.outside.granted()).filter(|had| !had.is_empty());
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
        effort: &Arc<Effort>,
    ) -> Result<Outcome, pipeline::StepFault> {
        self.execute_seen(step, event, library, effort, None)
    }

    fn incomplete(&self) -> Option<Refusal> {
        let UnavailablePlugin { name, version, reason, .. } =
            self.missing.iter().find(|missing| missing.manifest.is_none() && missing.may_take_part)?;
        Some(Refusal::Unknown { plugin: name.clone(), version: version.to_string(), reason: reason.clone() })
    }

    fn report_invalid(&self, step: &Registration, event: &Event, fault: &pipeline::StepFault) {
        if let Some((handler, _)) = self.handler(step) {
            handler.report_invalid(&self.engine, step, event, fault);
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
