//! What a component answers for, as its manifest says it and the environment wants it.

use std::collections::BTreeMap;

use crate::domain::{Duties, FaultPolicy, StepOverride};

use super::Manifest;
use super::provides::Provides;

impl Manifest {
    /// The tool kinds the component answers for, where `decided` is what the environment decided about its steps. A
    /// step that is switched off by itself is no duty.
    pub fn duties(&self, decided: &BTreeMap<String, StepOverride>) -> Duties {
        let mut duties = Duties::default();
        match &self.provides {
            Provides::ToolRule { kinds, .. } => duties.rules.extend(kinds.iter().cloned()),
            Provides::ToolSteps { steps } => {
                for step in steps {
                    let wanted = decided.get(&step.name);
                    if wanted.is_some_and(|wanted| !wanted.state.is_active()) {
                        continue;
                    }
                    let on_fault = wanted.and_then(|wanted| wanted.on_fault).unwrap_or(step.on_fault);
                    let part = if on_fault == FaultPolicy::Abort { &mut duties.guards } else { &mut duties.steps };
                    part.extend(step.resources.iter().cloned());
                }
            }
            Provides::UpgradeStep(_) | Provides::ConfigurationSteps { .. } => {}
        }
        duties
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_without_which_no_answer_is_given_guards_its_kinds() {
        let manifest = "[plugin]\npublisher = 'contoso'\nname = 'guard'\nversion = '1.0.0'\n\
            world = 'loadout:plugin/tool-step@0.1.0'\ndescription = 'Watches.'\n\
            [[steps]]\nname = 'strangers'\nmessage = 'tool.evaluate'\nresource = ['macros', 'scripts']\nstage = 20\nrank = 0\non-fault = 'abort'\n\
            [[steps]]\nname = 'tone'\nmessage = 'tool.evaluate'\nresource = ['scripts']\nstage = 40\nrank = 0\n";
        let manifest = Manifest::parse(manifest).unwrap();
        let duties = |decided: serde_json::Value| {
            let Duties { guards, steps, .. } = manifest.duties(&serde_json::from_value(decided).unwrap());
            format!("{guards:?} {steps:?}")
        };
        assert_eq!(duties(serde_json::json!({})), r#"{"macros", "scripts"} {"scripts"}"#);
        assert_eq!(
            duties(serde_json::json!({"strangers": {"onFault": "skip"}, "tone": {"onFault": "abort"}})),
            r#"{"scripts"} {"macros", "scripts"}"#
        );
        assert_eq!(duties(serde_json::json!({"strangers": {"state": "inactive"}})), r#"{} {"scripts"}"#);
    }
}
