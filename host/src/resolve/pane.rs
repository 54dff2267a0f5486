//! The productivity pane: every placed tool passes its gates, then its rule. Hides a tool whose rule is absent.

use std::sync::Arc;

use crate::domain::experience::{Degraded, Explanation, Gate, HiddenBy, Outcome, Pane, Tool, ToolFault, ToolStatus};
use crate::domain::message::Stage;
use crate::domain::{Environment, PaneTool, PlacedTool, Profile};
use crate::store::Snapshot;

use super::absent::{self, NO_RULE, Standing};
use super::explain::{Account, line};
use super::{Decision, Error, Evaluation, Facts, ItemReference, Read, Reads, StepEnd, StepRun, ToolRules, gates};

/// Returns the pane, and the library items that its tools name.
pub(super) fn pane(
    snapshot: &Arc<Snapshot>,
    profile: &Profile,
    environment: &Environment,
    facts: &Arc<Facts>,
    rules: &dyn ToolRules,
    account: &mut Account,
) -> Result<(Pane, Vec<ItemReference>), Error> {
    let mut placed: Vec<&PlacedTool> = profile.productivity_pane.tools.iter().collect();
    placed.sort_by(|a, b| (a.order, &a.tool).cmp(&(b.order, &b.tool)));
    let mut named = Vec::new();
    let mut tools = Vec::with_capacity(placed.len());
    for place in placed {
        account.go_on()?;
        let Some(tool) = snapshot.get(&place.tool) else {
            account.warn("tool-missing", format!("pane tool `{}` does not exist any more", place.tool));
            continue;
        };
        let status = match gates::tool(profile, place, tool, environment, facts) {
            Some(hidden_by) => {
                let because = format!("the {} gate needs {}", hidden_by.gate, hidden_by.needs);
                account.line(|| line("tool", Some(tool.kind.as_str()), Outcome::Hidden, because));
                ToolStatus::Hidden { hidden_by, degraded: None }
            }
            None => match absent::standing(place.tool.as_str(), tool, environment, rules) {
                Standing::Hidden(hidden_by) => {
                    let kind = tool.kind.as_str();
                    account.warn(NO_RULE, format!("tool `{kind}` is hidden: {}", hidden_by.needs));
                    account.line(|| line("tool", Some(kind), Outcome::Hidden, hidden_by.needs.as_str()));
                    ToolStatus::Hidden { hidden_by, degraded: None }
                }
                Standing::Asked(warnings) => {
                    warnings.into_iter().for_each(|(code, message)| account.warn(code, message));
                    ask(snapshot, place, tool, facts, rules, account, &mut named)?
                }
            },
        };
        tools.push(view(place, tool, facts, status));
    }
    let pane = &profile.productivity_pane;
    Ok((Pane { enabled: pane.enabled, mode: pane.mode, tools }, named))
}

fn ask(
    snapshot: &Arc<Snapshot>,
    place: &PlacedTool,
    tool: &PaneTool,
    facts: &Arc<Facts>,
    rules: &dyn ToolRules,
    account: &mut Account,
    named: &mut Vec<ItemReference>,
) -> Result<ToolStatus, Error> {
    let kind = tool.kind.as_str();
    let settings = serde_json::Value::Object(place.settings.clone()).to_string();
    let reads = Reads::new(Arc::clone(snapshot), Arc::clone(facts)).within(Arc::clone(account.effort()));
    let Some(evaluation) = rules.evaluate(kind, &settings, reads) else {
        account.line(|| line("tool", Some(kind), Outcome::Shown, "it needs no rule, and none is bound to its kind"));
        return Ok(ToolStatus::Shown { payload: serde_json::Value::Object(serde_json::Map::new()), degraded: None });
    };
    warn(&evaluation, kind, account);
    let by_step = evaluation.hidden_by().map(|step| (step.label(), format!("{} {}", step.plugin, step.step)));
    let changes = changes(&evaluation);
    let Evaluation { plugin, outcome, reads, degraded, ends, steps, .. } = evaluation;
    let explain = |account: &mut Account, outcome, because: String| {
        account.line(|| Explanation { under: lines(&steps, &reads), ..line("tool", Some(kind), outcome, because) });
    };
    let instead = degraded.as_ref().map_or("", |_| ", though it broke now");
    let who = plugin.as_deref().unwrap_or_default();
    Ok(match outcome {
        Ok(Decision::Shown { payload, items }) => {
            let because = match plugin {
                Some(_) => format!("{who} shows it{instead}{changes}"),
                None => format!("it needs no rule, and none is bound to its kind{changes}"),
            };
            explain(account, Outcome::Shown, because);
            named.extend(items);
            ToolStatus::Shown { payload: serde_json::Value::Object(payload), degraded }
        }
        Ok(Decision::Hidden { code, text }) => {
            let (because, gate, step) = match by_step {
                Some((label, step)) => (format!("{label} hides it: {text}"), Gate::Step, Some(step)),
                None => (format!("{who} hides it{instead}{changes}: {text}"), Gate::Rule, None),
            };
            explain(account, Outcome::Hidden, because);
            ToolStatus::Hidden { hidden_by: HiddenBy { gate, needs: text, code: Some(code), step }, degraded }
        }
        Err(fault) if ends => {
            let (kind, fault) = (kind.to_owned(), Box::new(fault));
            let aborted = steps.last().filter(|step| matches!(step.came_to, StepEnd::Aborted(_)));
            return Err(match aborted {
                Some(StepRun { step, .. }) => Error::ToolStep { kind, step: step.clone(), fault },
                None => Error::Tool { kind, fault },
            });
        }
        Err(fault) => {
            explain(account, Outcome::Failed, format!("{who} broke: {}", fault.message));
            let ToolFault { code, message, .. } = &fault;
            account.warn("tool-failed", format!("tool `{kind}` is not shown: {code}, {message}"));
            ToolStatus::Failed { fault }
        }
    })
}

/// Warns of every fault that did not prevent a decision.
fn warn(evaluation: &Evaluation, kind: &str, account: &mut Account) {
    if let Some(ToolFault { code, message, plugin, version, .. }) = &evaluation.passed_over {
        account
            .warn("trial-broke", format!("{plugin} {version}, on trial for tool `{kind}`, broke: {code}, {message}"));
    }
    if let Some(Degraded { policy, fault }) = &evaluation.degraded {
        let (policy, ToolFault { code, message, .. }) = (policy.as_str(), fault);
        account.warn("tool-degraded", format!("tool `{kind}` is as `{policy}` says: {code}, {message}"));
    }
    for step in &evaluation.steps {
        if let StepEnd::PassedOver(ToolFault { code, message, .. }) = &step.came_to {
            let label = step.label();
            account.warn("step-skipped", format!("tool `{kind}` is decided without {label}: {code}, {message}"));
        }
    }
}

/// Names the steps that changed something, as the end of a sentence.
fn changes(evaluation: &Evaluation) -> String {
    let mut text = String::new();
    for (stage, what) in [(Stage::PreOperation, "given settings by"), (Stage::PostOperation, "changed by")] {
        let labels: Vec<String> =
            evaluation.steps.iter().filter(|step| step.changed_in(stage)).map(StepRun::label).collect();
        if !labels.is_empty() {
            text += &format!(", {what} {}", labels.join(" and "));
        }
    }
    text
}

/// Returns the lines under a decision: the steps before the rule, the reads of the rule, the steps after it.
fn lines(steps: &[StepRun], reads: &[Read]) -> Vec<Explanation> {
    let in_stage = |stage: Stage| steps.iter().filter(move |step| step.stage == stage).map(StepRun::line);
    let reads = reads.iter().map(Read::line);
    in_stage(Stage::PreOperation).chain(reads).chain(in_stage(Stage::PostOperation)).collect()
}

fn view(place: &PlacedTool, tool: &PaneTool, facts: &Facts, status: ToolStatus) -> Tool {
    Tool {
        tool: tool.kind.to_string(),
        unique_name: place.tool.to_string(),
        name: tool.name.in_language(facts.language).to_owned(),
        order: place.order,
        icon: place.icon.as_ref().or(tool.icon.as_ref()).map(ToString::to_string),
        tooltip: place.tooltip.as_ref().map(|tooltip| tooltip.in_language(facts.language).to_owned()),
        control: tool.control.to_string(),
        status,
    }
}
