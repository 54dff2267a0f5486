//! Exports session templates, with links to tabs and scripts.

use crate::domain::{SessionKind, SessionTemplate};
use crate::import::session_template::{KINDS, PANELS, TEMPLATE};

use super::tables::Tables;

const ID: &str = "msdyn_sessiontemplateid";

/// Writes every session template.
pub(super) fn write(tables: &mut Tables<'_>) {
    let templates: Vec<_> = tables.custom::<SessionTemplate>().collect();
    for (name, template) in templates {
        tables.item(TEMPLATE, &name, template.source.as_ref(), |row| {
            if let Some(anchor) = &template.anchor_tab {
                row.lookup("msdyn_anchortab", "msdyn_uniquename", anchor);
            }
            row.localized("msdyn_description", template.description.as_ref());
            row.switch("msdyn_enablebuildexpression", template.default_script.as_ref().is_some_and(|it| it.enabled));
            row.switch("msdyn_enabletitlesync", template.title_on_anchor_tab);
            row.text("msdyn_entity", template.entity.as_ref());
            row.text("msdyn_expressiondata", template.default_script.as_ref().map(|it| it.expression.as_str()));
            row.localized("msdyn_name", Some(&template.name));
            row.choice("msdyn_panelstate", PANELS, &template.communication_panel);
            if let Some(icon) = &template.icon {
                row.lookup("msdyn_sessionicon", "name", icon);
            }
            row.choice("msdyn_sessiontype", KINDS, &template.kind);
            row.localized("msdyn_title", template.title.as_ref());
            row.switch("msdyn_type", template.kind == SessionKind::Entity);
            row.state(template.state);
        });
        for tab in &template.tabs {
            let table = "msdyn_sessiontemplate_applicationtab";
            tables.link(table, ("msdyn_applicationtabtemplateid", tab.template.as_str()), (ID, name.as_str()));
        }
        for script in &template.scripts {
            let table = "msdyn_msdyn_prod_agentscript_msdyn_sessiontempl";
            tables.link(table, ("msdyn_productivityagentscriptid", script.as_str()), (ID, name.as_str()));
        }
    }
}
