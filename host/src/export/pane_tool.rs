//! Exports the pane tools that were added to the catalog.

use crate::domain::PaneTool;
use crate::import::pane_tool::{CATEGORIES, TABLE, TYPES};

use super::tables::Tables;

/// Writes every tool.
pub(super) fn write(tables: &mut Tables<'_>) {
    let tools: Vec<_> = tables.custom::<PaneTool>().collect();
    for (name, tool) in tools {
        tables.item(TABLE, &name, tool.source.as_ref(), |row| {
            row.choice("msdyn_category", CATEGORIES, &tool.category);
            row.text("msdyn_controlname", Some(&tool.control));
            row.text("msdyn_data", tool.data.as_ref());
            row.text("msdyn_defaulticon", tool.icon.as_ref());
            row.localized("msdyn_description", tool.description.as_ref());
            row.switch("msdyn_isconfigurable", tool.configurable);
            row.switch("msdyn_isglobal", tool.global);
            row.text("msdyn_learnmorelink", tool.learn_more.as_ref());
            row.localized("msdyn_name", Some(&tool.name));
            row.text("msdyn_toolconfigurationentity", tool.configuration_entity.as_ref());
            row.choice("msdyn_type", TYPES, &tool.control_type);
            row.state(tool.state);
        });
    }
}
