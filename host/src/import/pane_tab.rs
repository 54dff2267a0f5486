//! Imports placements of tools in productivity panes.
//!
//! A placement names its pane. An add-on places its tool in the pane of a profile from another solution. So a pane that
//! is not in the archive is looked up here: by its unique name, or as `<profile>_pp` if the pane of a profile has none.
//! If the pane does not exist, the placement is skipped, and the report names the pane.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Kind, PaneTool, PlacedTool, ProductivityPane, Profile, State};

use super::made::size;
use super::row::Row;
use super::rows::Rows;
use super::unreadable::Unreadable;
use super::work::{Drafts, Work};

pub(crate) const PANE_TAB: &str = "msdyn_panetabconfiguration";

/// A placement, before it is put into a pane.
pub(super) struct Placed {
    pub(super) component: usize,
    /// The unique name of the pane.
    pub(super) pane: String,
    pub(super) tool: PlacedTool,
    /// The remaining columns of the row, as the profile keeps them.
    pub(super) kept: BTreeMap<String, String>,
    /// The unique name of the row.
    name: String,
}

/// Reads the placements. Skips one whose tool does not exist, and quarantines the second placement of a tool in one
/// pane.
pub(super) fn read(work: &mut Work<'_>, rows: &mut Rows) -> Vec<Placed> {
    let (mut placements, mut seen) = (Vec::new(), BTreeSet::new());
    for row in rows.take(PANE_TAB) {
        let Some(placed) = read_one(work, row) else { continue };
        if seen.insert((placed.pane.clone(), placed.tool.tool.clone())) {
            placements.push(placed);
        } else {
            let reason = format!("`{}` is placed in `{}` twice: keep one", placed.tool.tool, placed.pane);
            work.quarantine(placed.component, &Unreadable(reason));
        }
    }
    placements
}

fn read_one(work: &mut Work<'_>, row: Row) -> Option<Placed> {
    let (component, row, (pane, tool_name, placed, state)) = work.read(row, |row| {
        let pane = row.lookup("msdyn_productivitypaneid").unwrap_or_default();
        let tool = row.lookup("msdyn_toolid");
        let tool = tool.ok_or_else(|| Unreadable("`msdyn_toolid` is missing, and it is required".to_owned()))?;
        let placed = (
            row.switch("msdyn_isenabled")?.unwrap_or(false),
            row.number("msdyn_order")?.unwrap_or_default(),
            row.text("msdyn_iconpath")?,
            row.localized("msdyn_tooltip")?,
            row.own_name()?,
        );
        Ok((pane, tool, placed, row.state()?))
    })?;
    let Some(tool) = work.resolve::<PaneTool>(&tool_name) else {
        let reason = work.why_not(Kind::PaneTool, &tool_name);
        work.report.warn("tool-missing", format!("{PANE_TAB}/{}", row.name), reason.clone());
        work.skip(component, reason);
        return None;
    };
    let (enabled, order, icon, tooltip, unique_name) = placed;
    if state == State::Inactive {
        work.note(component, "an inactive placement is one that is not enabled");
    }
    let enabled = enabled && state == State::Active;
    let tool = PlacedTool { tool, enabled, order, settings: serde_json::Map::new(), icon, tooltip, unique_name };
    let name = row.name.clone();
    Some(Placed { component, pane, tool, kept: row.kept(), name })
}

/// Puts placements into the profiles that have the pane, if the archive does not contain the pane.
pub(super) fn place(work: &mut Work<'_>, placements: Vec<Placed>, drafts: &mut Drafts<Profile>) {
    if placements.is_empty() {
        return;
    }
    let mut profiles: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let planned = drafts.iter_mut().map(|(name, profile)| (name.to_string(), profile.productivity_pane.clone()));
    let planned: BTreeMap<String, ProductivityPane> = planned.collect();
    let here = work.here.all::<Profile>().map(|(name, profile)| (name.to_string(), &profile.productivity_pane));
    let here = here.filter(|(name, _)| !planned.contains_key(name));
    for (profile, pane) in planned.iter().map(|(name, pane)| (name.clone(), pane)).chain(here) {
        let known_as = pane.unique_name.as_ref().map_or_else(|| format!("{profile}_pp"), ToString::to_string);
        profiles.entry(known_as).or_default().insert(profile);
    }
    for placed in placements {
        match profiles.get(&placed.pane) {
            Some(profiles) => place_one(work, placed, profiles, drafts),
            None => {
                let reason = format!(
                    "the pane `{}` is not in the archive, and no profile here has it: import the solution with the pane first, then this one again",
                    placed.pane
                );
                work.report.warn("pane-missing", format!("{PANE_TAB}/{}", placed.name), reason.clone());
                work.skip(placed.component, reason);
            }
        }
    }
}

fn place_one(work: &mut Work<'_>, placed: Placed, profiles: &BTreeSet<String>, drafts: &mut Drafts<Profile>) {
    let Placed { component, tool, kept, .. } = placed;
    if let Err(reason) = work.may_keep(size(&kept)) {
        return work.quarantine(component, &reason);
    }
    let bytes = size(&tool) + size(&kept);
    // A shipped profile is not changed. The reason is reported only if the placement goes into no profile.
    let mut refused = None;
    let mut is_placed = false;
    for name in profiles {
        let Some(profile) = drafts.open(work, name) else {
            refused.get_or_insert_with(|| work.why_not(Kind::Profile, name));
            continue;
        };
        if let Err(reason) = work.copied.take(bytes) {
            refused.get_or_insert(reason.0);
            continue;
        }
        put(&mut profile.productivity_pane, tool.clone());
        if !kept.is_empty() {
            profile.source.get_or_insert_default().attributes.extend(kept.clone());
        }
        work.merge_or_copy(component, Kind::Profile, name);
        is_placed = true;
    }
    if let Some(reason) = refused.filter(|_| !is_placed) {
        work.skip(component, reason);
    }
}

/// Places a tool in a pane: where it already is, or after all tools whose order is not greater. The other tools keep
/// their places.
fn put(pane: &mut ProductivityPane, mut tool: PlacedTool) {
    let tools = &mut pane.tools;
    if let Some(at) = tools.iter().position(|other| other.tool == tool.tool) {
        tool.settings.clone_from(&tools[at].settings);
        if tools[at].order == tool.order {
            tools[at] = tool;
            return;
        }
        tools.remove(at);
    }
    let at = tools.iter().position(|other| other.order > tool.order).unwrap_or(tools.len());
    tools.insert(at, tool);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_tool_takes_its_place_among_those_that_are_there() {
        let tool = |name: &str, order: u32| -> PlacedTool {
            serde_json::from_value(json!({ "tool": name, "order": order })).unwrap()
        };
        for (before, placed, expected) in [
            (&[][..], ("t", 5), "t5"),
            (&[("a", 10), ("b", 20)], ("t", 40), "a10 b20 t40"),
            (&[("a", 10), ("b", 20)], ("t", 10), "a10 t10 b20"),
            (&[("b", 20), ("a", 10)], ("t", 30), "b20 a10 t30"),
            (&[("a", 10), ("t", 40), ("b", 40)], ("t", 40), "a10 t40 b40"),
            (&[("a", 10), ("t", 20), ("b", 40)], ("t", 50), "a10 b40 t50"),
        ] {
            let tools = before.iter().map(|(name, order)| tool(name, *order)).collect();
            let mut pane = ProductivityPane { tools, ..ProductivityPane::default() };
            put(&mut pane, tool(placed.0, placed.1));
            let after: Vec<_> = pane.tools.iter().map(|it| format!("{}{}", it.tool, it.order)).collect();
            assert_eq!(after.join(" "), expected, "{before:?} and {placed:?}");
        }
    }
}
