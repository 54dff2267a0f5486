//! Steps around the rule of a tool: which there are, in which order they are asked, and what becomes of an evaluation
//! by them.
//!
//! Before the rule they change what it is given, after it what it decided; both ways they may hide the tool. A step
//! that hides the tool is the last one that is called. No step shows a hidden tool.

use std::borrow::Cow;

use crate::domain::experience::ToolFault;
use crate::domain::message::Stage;
use crate::domain::{CallLimits, FaultPolicy, PluginVersion};
use crate::resolve::{Decision, Evaluation, Read, Reads, RuleCall, StepEnd, StepRun};

use super::amendment::{Amendment, Question};
use crate::domain::message::TOOL_EVALUATE;

/// A step around rules, as it is declared and as the environment wants it.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolStepRegistration {
    /// The plugin, as `publisher/name`.
    pub plugin: String,
    /// Its version.
    pub version: PluginVersion,
    /// The SHA-256 of its component, in hexadecimal.
    pub digest: String,
    /// The step, by its name in the manifest.
    pub step: String,
    /// The tool kinds it is asked about.
    pub resources: Vec<String>,
    /// Before the rule or after it.
    pub stage: Stage,
    /// Its place among the steps of its stage, the lowest first; then plugin and name decide.
    pub rank: i32,
    /// What happens when it breaks.
    pub on_fault: FaultPolicy,
    /// What the environment tells it, a JSON object.
    pub configuration: String,
    /// What the environment lowers of what its calls may use.
    pub limits: CallLimits,
    /// Why what the environment tells it does not suit it: it is not asked then, and breaks.
    pub problem: Option<String>,
    /// Whether it is asked at all.
    pub active: bool,
}

impl ToolStepRegistration {
    /// What it is asked about.
    pub const MESSAGE: &str = TOOL_EVALUATE;

    /// Sorts steps into the order in which they are asked. Total: no two steps of one environment are equal in it.
    pub fn order(a: &Self, b: &Self) -> std::cmp::Ordering {
        let key = |it: &Self| (it.stage, it.rank);
        key(a).cmp(&key(b)).then_with(|| (&a.plugin, &a.step).cmp(&(&b.plugin, &b.step)))
    }

    /// Whether it is asked about tools of this kind.
    pub fn concerns(&self, kind: &str) -> bool {
        self.active && self.resources.iter().any(|resource| resource == kind)
    }
}

/// What a step answers, and what it read before.
pub(in crate::plugin) type Answer = (Result<Amendment, ToolFault>, Vec<Read>);

/// Asks a step something.
pub(in crate::plugin) type Ask<'a> = &'a dyn Fn(&ToolStepRegistration, &Question<'_>, Reads) -> Answer;

/// Asks the rule, given settings. Nothing if there is none.
pub(in crate::plugin) type AskRule<'a> = &'a dyn Fn(&str, Reads) -> Option<Evaluation>;

/// An evaluation with steps around the rule, in the order given.
pub(in crate::plugin) fn evaluate(
    tool: &str,
    settings: &str,
    reads: &Reads,
    steps: &[&ToolStepRegistration],
    ask: Ask<'_>,
    rule: AskRule<'_>,
) -> Evaluation {
    let mut course = Sequence { tool, reads, ask, runs: Vec::new() };
    let in_stage = |stage: Stage| steps.iter().filter(move |step| step.stage == stage);
    let mut given = Cow::Borrowed(settings);
    for step in in_stage(Stage::PreOperation) {
        match course.next(step, &given, None, &[]) {
            Ok(Next::Settings(other)) => given = Cow::Owned(other),
            Ok(Next::Decision(_) | Next::Same) => {}
            Err(end) => return course.end(Evaluation::without_rule(Ok(nothing())), end),
        }
    }
    let no_rule = || Evaluation::without_rule(Ok(nothing()));
    let mut evaluation = rule(&given, reads.anew()).unwrap_or_else(no_rule);
    if let (RuleCall::Asked { settings, .. }, Cow::Owned(given)) = (&mut evaluation.rule, &given) {
        *settings = Some(given.clone());
    }
    for step in in_stage(Stage::PostOperation) {
        // What broke visibly is nothing to be changed.
        let Ok(decision) = &evaluation.outcome else { break };
        let mut properties = Vec::new();
        properties.extend(evaluation.plugin.as_deref().map(|rule| ("rule", rule)));
        properties.extend(evaluation.degraded.as_ref().map(|degraded| ("degraded", degraded.policy.as_str())));
        match course.next(step, &given, Some(decision), &properties) {
            Ok(Next::Decision(other)) => replace_outcome(&mut evaluation, Ok(other)),
            Ok(Next::Settings(_) | Next::Same) => {}
            Err(end) => return course.end(evaluation, end),
        }
    }
    Evaluation { steps: course.runs, ..evaluation }
}

/// What a tool is without a rule.
fn nothing() -> Decision {
    Decision::Shown { payload: serde_json::Map::new(), items: Vec::new() }
}

/// Puts `outcome` into the place of what was decided before, and keeps what the rule itself answered.
fn replace_outcome(evaluation: &mut Evaluation, outcome: Result<Decision, ToolFault>) {
    let before = std::mem::replace(&mut evaluation.outcome, outcome);
    if let RuleCall::Asked { outcome, .. } = &mut evaluation.rule {
        outcome.get_or_insert(before);
    }
}

/// Steps that are asked one after the other.
struct Sequence<'a> {
    tool: &'a str,
    reads: &'a Reads,
    ask: Ask<'a>,
    runs: Vec<StepRun>,
}

/// What is different for the step that is called next.
enum Next {
    Same,
    Settings(String),
    Decision(Decision),
}

/// Why no further step is called.
enum End {
    Hidden(Decision),
    Broken(Box<ToolFault>),
}

impl Sequence<'_> {
    fn next(
        &mut self,
        step: &ToolStepRegistration,
        settings: &str,
        decision: Option<&Decision>,
        properties: &[(&str, &str)],
    ) -> Result<Next, End> {
        let question = Question { tool: self.tool, stage: step.stage, settings, decision, properties };
        let (answer, reads) = (self.ask)(step, &question, self.reads.anew());
        let (came_to, next) = match answer {
            Ok(Amendment::Nothing) => (StepEnd::Agreed, Ok(Next::Same)),
            Ok(Amendment::Settings { settings, changed }) => (StepEnd::Changed(changed), Ok(Next::Settings(settings))),
            Ok(Amendment::Decision { decision, changed }) => (StepEnd::Changed(changed), Ok(Next::Decision(decision))),
            Ok(Amendment::Hide { code, text }) => {
                let hidden = Decision::Hidden { code: code.clone(), text: text.clone() };
                (StepEnd::Hid { code, text }, Err(End::Hidden(hidden)))
            }
            Err(fault) if step.on_fault == FaultPolicy::Abort => {
                (StepEnd::Aborted(fault.clone()), Err(End::Broken(Box::new(fault))))
            }
            Err(fault) => (StepEnd::PassedOver(fault), Ok(Next::Same)),
        };
        let (plugin, name) = (format!("{} {}", step.plugin, step.version), step.step.clone());
        self.runs.push(StepRun { plugin, step: name, stage: step.stage, came_to, reads });
        next
    }

    fn end(self, mut evaluation: Evaluation, end: End) -> Evaluation {
        let (outcome, ends) = match end {
            End::Hidden(decision) => (Ok(decision), false),
            End::Broken(fault) => (Err(*fault), true),
        };
        replace_outcome(&mut evaluation, outcome);
        Evaluation { steps: self.runs, ends, ..evaluation }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn step(name: &str, stage: Stage, on_fault: FaultPolicy) -> ToolStepRegistration {
        ToolStepRegistration {
            plugin: "a/b".to_owned(),
            version: PluginVersion { major: 1, minor: 0, patch: 0 },
            digest: String::new(),
            step: name.to_owned(),
            resources: vec!["macros".to_owned()],
            stage,
            rank: 0,
            on_fault,
            configuration: "{}".to_owned(),
            limits: CallLimits::default(),
            problem: None,
            active: true,
        }
    }

    fn fault(code: &str) -> ToolFault {
        let [message, plugin, version] = ["broke", "a/b", "1.0.0"].map(str::to_owned);
        ToolFault { code: code.to_owned(), message, plugin, version, trace: None, retry_after: None }
    }

    /// What comes of an evaluation in which the step `breaks` breaks with `code`: who was asked, and how it ended.
    fn course(code: &str, on_fault: FaultPolicy, breaks: &str) -> String {
        let (before, after) = (Stage::PreOperation, Stage::PostOperation);
        let steps =
            [("early", before), ("next", before), ("late", after)].map(|(name, stage)| step(name, stage, on_fault));
        let ask = |step: &ToolStepRegistration, _: &Question<'_>, _: Reads| {
            let answer = if step.step == breaks { Err(fault(code)) } else { Ok(Amendment::Nothing) };
            (answer, Vec::new())
        };
        let rule =
            |_: &str, reads: Reads| Some(Evaluation::of_rule("r".to_owned(), Ok(nothing()), reads.into_recorded()));
        let reads = Reads::new(Arc::default(), Arc::default());
        let steps: Vec<_> = steps.iter().collect();
        let evaluation = evaluate("macros", "{}", &reads, &steps, &ask, &rule);
        let asked: Vec<&str> = evaluation.steps.iter().map(|run| run.step.as_str()).collect();
        let rule = if evaluation.rule == RuleCall::Never { "no rule" } else { "rule" };
        format!("{} {rule} {} {}", asked.join(" "), evaluation.outcome.is_ok(), evaluation.ends)
    }

    #[test]
    fn what_breaks_or_finds_no_room_is_passed_over_unless_nothing_goes_without_it() {
        for (code, on_fault, breaks, expected) in [
            ("plugin.trapped", FaultPolicy::Skip, "early", "early next late rule true false"),
            ("plugin.trapped", FaultPolicy::Abort, "early", "early no rule false true"),
            ("plugin.trapped", FaultPolicy::Abort, "late", "early next late rule false true"),
            ("plugin.suspended", FaultPolicy::Skip, "late", "early next late rule true false"),
            ("plugin.busy", FaultPolicy::Skip, "next", "early next late rule true false"),
            ("plugin.busy", FaultPolicy::Abort, "next", "early next no rule false true"),
        ] {
            assert_eq!(course(code, on_fault, breaks), expected, "{code} {on_fault:?} of {breaks}");
        }
    }
}
