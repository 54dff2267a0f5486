//! The productivity pane: every placed tool, through its gates and then through its rule.

use std::sync::Arc;

use crate::domain::experience::{Degraded, Gate, HiddenBy, Outcome, Pane, Tool, ToolFault, ToolStatus};
use crate::domain::{Environment, PaneTool, PlacedTool, Profile};
use crate::store::Snapshot;

use super::explain::{Account, line};
use super::{Decision, Error, Evaluation, Facts, ItemReference, Read, Reads, ToolRules, gates};

/// The pane, and the library items its tools name.
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
            None => ask(snapshot, place, tool, facts, rules, account, &mut named)?,
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
    let reads = Reads::new(Arc::clone(snapshot), Arc::clone(facts));
    let Some(evaluation) = rules.evaluate(kind, &settings, reads) else {
        account.line(|| line("tool", Some(kind), Outcome::Shown, "no rule component is bound to its kind"));
        return Ok(ToolStatus::Shown { payload: serde_json::Value::Object(serde_json::Map::new()), degraded: None });
    };
    let Evaluation { plugin, outcome, reads, degraded, ends, passed_over, outside: _ } = evaluation;
    if let Some(ToolFault { code, message, plugin, version, .. }) = &passed_over {
        account
            .warn("trial-broke", format!("{plugin} {version}, on trial for tool `{kind}`, broke: {code}, {message}"));
    }
    if let Some(Degraded { policy, fault }) = &degraded {
        let (policy, ToolFault { code, message, .. }) = (policy.as_str(), fault);
        account.warn("tool-degraded", format!("tool `{kind}` is as `{policy}` says: {code}, {message}"));
    }
    let explain = |account: &mut Account, outcome, because: String| {
        account.line(|| {
            let mut line = line("tool", Some(kind), outcome, because);
            line.under = reads.iter().map(read).collect();
            line
        });
    };
    let instead = degraded.as_ref().map_or("", |_| ", though it broke now");
    Ok(match outcome {
        Ok(Decision::Shown { payload, items }) => {
            explain(account, Outcome::Shown, format!("{plugin} shows it{instead}"));
            named.extend(items);
            ToolStatus::Shown { payload: serde_json::Value::Object(payload), degraded }
        }
        Ok(Decision::Hidden { code, text }) => {
            explain(account, Outcome::Hidden, format!("{plugin} hides it{instead}: {text}"));
            ToolStatus::Hidden { hidden_by: HiddenBy { gate: Gate::Rule, needs: text, code: Some(code) }, degraded }
        }
        Err(fault) if ends => return Err(Error::Tool { kind: kind.to_owned(), fault: Box::new(fault) }),
        Err(fault) => {
            explain(account, Outcome::Failed, format!("{plugin} broke: {}", fault.message));
            let ToolFault { code, message, .. } = &fault;
            account.warn("tool-failed", format!("tool `{kind}` is not shown: {code}, {message}"));
            ToolStatus::Failed { fault }
        }
    })
}

fn read(read: &Read) -> crate::domain::experience::Explanation {
    line("read", Some(&read.what), Outcome::Read, read.answer.clone())
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
