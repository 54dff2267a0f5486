//! Imports scripts and their steps.
//!
//! A macro step names its macro by GUID, a script step its script by unique name. A step whose target is neither in the
//! archive nor here is quarantined; its script is imported without it.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::source::guid;
use crate::domain::{Kind, Macro, Name, Script, ScriptStep, StepAction, Text};

use super::row::Row;
use super::rows::Rows;
use super::unreadable::Unreadable;
use super::work::{Drafts, Work};

pub(crate) const SCRIPT: &str = "msdyn_productivityagentscript";
pub(crate) const STEP: &str = "msdyn_productivityagentscriptstep";

/// The kind of action of a step, without its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Text,
    Macro,
    Script,
}

pub(crate) const ACTIONS: &[(i64, Action)] =
    &[(192_350_000, Action::Text), (192_350_001, Action::Macro), (192_350_002, Action::Script)];

/// Plans all scripts, with their steps. `macros` are those that exist here or are planned, by GUID.
pub(super) fn read(work: &mut Work<'_>, rows: &mut Rows, macros: &BTreeMap<String, Name<Macro>>) {
    let mut drafts = Drafts::new();
    for row in rows.take(SCRIPT) {
        let Some((component, row, mut script)) = work.read(row, script) else { continue };
        let name = row.name.clone();
        script.source = row.source(work.solution.summary.managed, &[]);
        drafts.begin(component, &name, script);
    }
    // Scripts may refer to each other, so all of them are collected before any step is read.
    let scripts: BTreeSet<String> = drafts.iter_mut().map(|(name, _)| name.to_string()).collect();
    for row in rows.take(STEP) {
        take_step(work, row, &mut drafts, macros, &scripts);
    }
    for (_, script) in drafts.iter_mut() {
        script.steps.sort_by(|a, b| (a.order, &a.unique_name).cmp(&(b.order, &b.unique_name)));
    }
    drafts.put(work, SCRIPT);
}

fn script(row: &mut Row) -> Result<Script, Unreadable> {
    let language = row.number("msdyn_language")?;
    Ok(Script {
        name: row.required("msdyn_name")?,
        description: row.localized("msdyn_description")?,
        state: row.state()?,
        language: language.ok_or_else(|| Unreadable("`msdyn_language` is missing, and it is required".to_owned()))?,
        steps: Vec::new(),
        source: None,
    })
}

fn take_step(
    work: &mut Work<'_>,
    row: Row,
    drafts: &mut Drafts<Script>,
    macros: &BTreeMap<String, Name<Macro>>,
    scripts: &BTreeSet<String>,
) {
    let here = |name: &str| if scripts.contains(name) { name.parse().ok() } else { work.resolve::<Script>(name) };
    let mut row = row;
    let step = step(&mut row, macros, &here);
    let read = work.read(row, |row| {
        let script = row.lookup("msdyn_agentscriptid");
        Ok((script.ok_or_else(|| Unreadable("`msdyn_agentscriptid` names no script".to_owned()))?, step?))
    });
    let Some((component, row, (name, step))) = read else { return };
    let Some(script) = drafts.open(work, &name) else {
        let reason = work.why_not(Kind::Script, &name);
        return work.skip(component, reason);
    };
    script.steps.retain(|other| other.unique_name != step.unique_name);
    script.steps.push(step);
    row.keep_in(&mut script.source);
    work.merge(component, Kind::Script, &name);
}

fn step(
    row: &mut Row,
    macros: &BTreeMap<String, Name<Macro>>,
    script: &dyn Fn(&str) -> Option<Name<Script>>,
) -> Result<ScriptStep, Unreadable> {
    let action = match row.required_choice("msdyn_actiontype", ACTIONS)? {
        Action::Text => StepAction::Text { instruction: row.required("msdyn_textinstruction")? },
        Action::Macro => {
            let typed = row.lookup("msdyn_macroactionid").unwrap_or_default();
            let found = guid(&typed).and_then(|id| macros.get(&id).cloned());
            let gone = || Unreadable(format!("the macro `{typed}` is in no file and not here: add it to the solution"));
            StepAction::Macro { runs: found.ok_or_else(gone)? }
        }
        Action::Script => {
            let typed = row.lookup("msdyn_routeactionid").unwrap_or_default();
            let gone =
                || Unreadable(format!("the script `{typed}` is in no file and not here: add it to the solution"));
            StepAction::Script { script: script(&typed).ok_or_else(gone)? }
        }
    };
    let order = row.number("msdyn_order")?;
    Ok(ScriptStep {
        unique_name: Text::new(row.name.as_str()).map_err(|error| Unreadable(format!("unique name: {error}")))?,
        name: row.required("msdyn_name")?,
        order: order.ok_or_else(|| Unreadable("`msdyn_order` is missing, and it is required".to_owned()))?,
        action,
        description: row.localized("msdyn_description")?,
        state: row.state()?,
    })
}
