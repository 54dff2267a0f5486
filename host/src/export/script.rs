//! Exports scripts and their steps. A macro step refers to its macro by GUID, as exports do.

use crate::domain::{Script, StepAction};
use crate::import::script::{ACTIONS, Action, SCRIPT, STEP};

use super::tables::Tables;

/// Writes every script.
pub(super) fn write(tables: &mut Tables<'_>) {
    let scripts: Vec<_> = tables.custom::<Script>().collect();
    for (name, script) in scripts {
        tables.item(SCRIPT, &name, script.source.as_ref(), |row| {
            row.localized("msdyn_description", script.description.as_ref());
            row.number("msdyn_language", script.language);
            row.localized("msdyn_name", Some(&script.name));
            row.state(script.state);
        });
        for step in &script.steps {
            let target = match &step.action {
                // A shipped macro has no GUID here, so its step has no row that the import could read.
                StepAction::Macro { runs } => tables.macro_ids.get(runs.as_str()).cloned().unwrap_or_default(),
                StepAction::Script { script } => script.to_string(),
                StepAction::Text { .. } => String::new(),
            };
            let own = step.unique_name.as_str();
            tables.part(
                STEP,
                Some(own),
                &format!("{name}_{own}"),
                |row| {
                    row.lookup("msdyn_agentscriptid", "msdyn_uniquename", &name);
                    row.localized("msdyn_description", step.description.as_ref());
                    row.localized("msdyn_name", Some(&step.name));
                    row.number("msdyn_order", step.order);
                    row.state(step.state);
                    let action = match &step.action {
                        StepAction::Text { instruction } => {
                            row.localized("msdyn_textinstruction", Some(instruction));
                            Action::Text
                        }
                        StepAction::Macro { .. } => {
                            row.lookup("msdyn_macroactionid", "workflowid", &target);
                            Action::Macro
                        }
                        StepAction::Script { .. } => {
                            row.lookup("msdyn_routeactionid", "msdyn_uniquename", &target);
                            Action::Script
                        }
                    };
                    row.choice("msdyn_actiontype", ACTIONS, &action);
                },
                |_| {},
            );
        }
    }
}
