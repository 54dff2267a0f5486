//! Imports pane tools that a solution adds to the catalog.
//!
//! A solution has no kind of a tool, which decides which rule applies to it. The kind is made of the unique name
//! without its prefix; a tool that exists here keeps its kind and its requirements.

use crate::domain::{ControlType, PaneTool, Text, ToolCategory, ToolRequirements};

use super::row::Row;
use super::rows::Rows;
use super::unreadable::Unreadable;
use super::work::Work;

pub(crate) const TABLE: &str = "msdyn_panetoolconfiguration";

pub(crate) const TYPES: &[(i64, ControlType)] = &[(0, ControlType::Control), (1, ControlType::CustomPage)];

pub(crate) const CATEGORIES: &[(i64, ToolCategory)] = &[
    (100_000_000, ToolCategory::Uncategorized),
    (100_000_001, ToolCategory::AgentGuidance),
    (100_000_002, ToolCategory::Reference),
    (100_000_003, ToolCategory::Collaboration),
    (100_000_004, ToolCategory::AutomatedAction),
];

/// Plans all pane tools.
pub(super) fn read(work: &mut Work<'_>, rows: &mut Rows) {
    for row in rows.take(TABLE) {
        let here = work.existing::<PaneTool>(&row.name);
        let Some((component, row, mut tool)) = work.read(row, |row| tool(row, here)) else { continue };
        let name = row.name.clone();
        tool.source = row.source(work.solution.summary.managed, &[]);
        work.put(component, &name, tool);
    }
}

fn tool(row: &mut Row, here: Option<&PaneTool>) -> Result<PaneTool, Unreadable> {
    let kind = match here {
        Some(here) => here.kind.clone(),
        None => Text::new(kind_of(&row.name)).map_err(|error| Unreadable(format!("unique name: {error}")))?,
    };
    let icon = row.lookup("msdyn_icon");
    let icon = icon.map(Text::new).transpose().map_err(|error| Unreadable(format!("`msdyn_icon`: {error}")))?;
    let default_icon = row.text("msdyn_defaulticon")?;
    Ok(PaneTool {
        name: row.required("msdyn_name")?,
        description: row.localized("msdyn_description")?,
        state: row.state()?,
        kind,
        control: row.required_text("msdyn_controlname")?,
        control_type: row.choice("msdyn_type", TYPES)?.unwrap_or_default(),
        category: row.choice("msdyn_category", CATEGORIES)?.unwrap_or_default(),
        global: row.switch("msdyn_isglobal")?.unwrap_or(false),
        configurable: row.switch("msdyn_isconfigurable")?.unwrap_or(false),
        configuration_entity: row.text("msdyn_toolconfigurationentity")?,
        data: row.text("msdyn_data")?,
        icon: icon.or(default_icon),
        learn_more: row.text("msdyn_learnmorelink")?,
        without_rule: here.and_then(|here| here.without_rule),
        requires: here.map_or_else(ToolRequirements::default, |here| here.requires.clone()),
        source: None,
    })
}

fn kind_of(name: &str) -> String {
    let bare = name.split_once('_').map_or(name, |(_, rest)| rest).to_ascii_lowercase();
    let words = bare.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_a_tool_is_its_name_without_the_prefix() {
        for (name, kind) in [("fab_weather_tool", "weather-tool"), ("fab_Größe", "gr-e"), ("weather", "weather")] {
            assert_eq!(kind_of(name), kind);
        }
    }
}
