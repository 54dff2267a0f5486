//! Productivity panes and the tools placed in them.
//!
//! A pane is an item of its own there and a part of a profile here: it is copied into every profile linked to it. The link
//! counts, the profile's own column serves where there is none, and a pane without either goes where it is already. A tool is not shown unless its row says so.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Kind, PaneMode, PaneTool, PlacedTool, ProductivityPane, Profile, State};

use super::customizations::Links;
use super::made::size;
use super::profile::{ID, PROFILE};
use super::row::{Row, Unreadable};
use super::rows::Rows;
use super::work::{Drafts, Work};

pub(crate) const PANE: &str = "msdyn_paneconfiguration";
pub(crate) const PANE_TAB: &str = "msdyn_panetabconfiguration";
pub(crate) const PANE_ID: &str = "msdyn_paneconfigurationid";

/// The panes of an archive, on their way into profiles.
pub(super) struct Panes {
    panes: BTreeMap<String, Pane>,
    /// Which pane a profile's own column names.
    named: BTreeMap<String, String>,
}

struct Pane {
    component: usize,
    pane: ProductivityPane,
    tools: Vec<Placed>,
    kept: BTreeMap<String, String>,
    /// How long it is with its tools and what is kept, as JSON.
    bytes: usize,
}

struct Placed {
    component: usize,
    tool: PlacedTool,
}

impl Panes {
    /// Reads the panes and their tools.
    pub(super) fn read(work: &mut Work<'_>, rows: &mut Rows) -> Self {
        let mut panes = BTreeMap::new();
        for row in rows.take(PANE) {
            let Some((component, row, (pane, state))) = work.read(row, pane) else { continue };
            let mut pane = Pane { component, pane, tools: Vec::new(), kept: BTreeMap::new(), bytes: 0 };
            if state == State::Inactive {
                work.note(component, "an inactive pane is a pane that is not enabled");
                pane.pane.enabled = false;
            }
            let name = row.name.clone();
            pane.keep(row);
            panes.insert(name, pane);
        }
        for row in rows.take(PANE_TAB) {
            take_tab(work, row, &mut panes);
        }
        for pane in panes.values_mut() {
            pane.tools.sort_by(|a, b| (a.tool.order, &a.tool.tool).cmp(&(b.tool.order, &b.tool.tool)));
            let tools: usize = pane.tools.iter().map(|placed| size(&placed.tool)).sum();
            pane.bytes = size(&pane.pane) + tools + size(&pane.kept);
        }
        panes.retain(|name, pane| {
            let Err(reason) = work.may_keep(size(&pane.kept)) else { return true };
            work.quarantine(pane.component, &reason);
            let reason = format!("there is no readable pane `{name}` in the archive");
            pane.tools.iter().for_each(|placed| work.skip(placed.component, reason.as_str()));
            false
        });
        Self { panes, named: BTreeMap::new() }
    }

    /// Notes which pane the column of `profile` names.
    pub(super) fn name(&mut self, profile: &str, pane: String) {
        self.named.insert(profile.to_owned(), pane);
    }

    /// Copies every pane into the profiles linked to it.
    pub(super) fn place(self, work: &mut Work<'_>, links: &mut Links, drafts: &mut Drafts<Profile>) {
        let mut placed: BTreeMap<String, String> = BTreeMap::new();
        for link in links.take(ID, PANE_ID) {
            let (profile, pane) = (link.end(ID), link.end(PANE_ID));
            if let Some(other) = placed.get(profile).filter(|other| *other != pane) {
                let reason = format!("`{profile}` has the pane `{other}` already: link one pane only");
                work.report.warn("several-panes", format!("{PROFILE}/{profile}"), reason.clone());
                work.leave_out(&link, reason);
                continue;
            }
            match self.copy(work, drafts, profile, pane) {
                Ok(()) => {
                    work.link(&link, Kind::Profile, profile);
                    placed.insert(profile.to_owned(), pane.to_owned());
                }
                Err(reason) => work.leave_out(&link, reason),
            }
        }
        for (profile, pane) in &self.named {
            match placed.get(profile) {
                Some(linked) if linked == pane => {}
                Some(linked) => {
                    let message = format!("the pane is `{linked}` by link and `{pane}` by column: the link counts");
                    work.report.warn("pane-disagrees", format!("{PROFILE}/{profile}"), message);
                }
                None => {
                    if let Err(reason) = self.copy(work, drafts, profile, pane) {
                        let message = format!("the pane is left out: {reason}");
                        work.report.warn("pane-missing", format!("{PROFILE}/{profile}"), message);
                    }
                    placed.insert(profile.clone(), pane.clone());
                }
            }
        }
        let used: BTreeSet<String> = placed.into_values().collect();
        let here: Vec<(String, String)> = work
            .here
            .all::<Profile>()
            .filter_map(|(name, it)| Some((name.to_string(), it.productivity_pane.unique_name.as_ref()?.to_string())))
            .filter(|(_, pane)| !used.contains(pane) && self.panes.contains_key(pane))
            .collect();
        let mut used = used;
        for (profile, pane) in here {
            if self.copy(work, drafts, &profile, &pane).is_ok() {
                used.insert(pane);
            }
        }
        for (_, pane) in self.panes.iter().filter(|(name, _)| !used.contains(*name)) {
            let reason = "no profile is linked to the pane";
            work.skip(pane.component, reason);
            pane.tools.iter().for_each(|placed| work.skip(placed.component, reason));
        }
    }

    fn copy(&self, work: &mut Work<'_>, drafts: &mut Drafts<Profile>, profile: &str, pane: &str) -> Result<(), String> {
        let Some(Pane { component, pane, tools, kept, bytes }) = self.panes.get(pane) else {
            return Err(format!("there is no readable pane `{pane}` in the archive"));
        };
        let here = work.existing::<Profile>(profile).map(|here| &here.productivity_pane.tools);
        let draft = drafts.open(work, profile).ok_or_else(|| work.why_not(Kind::Profile, profile))?;
        work.copied.take(*bytes).map_err(|reason| reason.0)?;
        let mut copy = pane.clone();
        for placed in tools {
            let mut tool = placed.tool.clone();
            let before = here.and_then(|here| here.iter().find(|other| other.tool == tool.tool));
            tool.settings = before.map_or_else(serde_json::Map::new, |before| before.settings.clone());
            copy.tools.push(tool);
        }
        draft.productivity_pane = copy;
        if !kept.is_empty() {
            draft.source.get_or_insert_default().attributes.extend(kept.clone());
        }
        work.merge_or_copy(*component, Kind::Profile, profile);
        for placed in tools {
            work.merge_or_copy(placed.component, Kind::Profile, profile);
        }
        Ok(())
    }
}

impl Pane {
    fn keep(&mut self, row: Row) {
        let mut source = None;
        row.keep_in(&mut source);
        self.kept.extend(source.map(|source| source.attributes).unwrap_or_default());
    }
}

fn pane(row: &mut Row) -> Result<(ProductivityPane, State), Unreadable> {
    let expanded = row.switch("msdyn_panemode")?.unwrap_or(true);
    let pane = ProductivityPane {
        enabled: row.switch("msdyn_panestate")?.unwrap_or(true),
        mode: if expanded { PaneMode::Expanded } else { PaneMode::Collapsed },
        tools: Vec::new(),
        unique_name: row.own_name()?,
        name: row.text("msdyn_name")?.filter(|_| !row.is_made_up()),
    };
    Ok((pane, row.state()?))
}

fn take_tab(work: &mut Work<'_>, row: Row, panes: &mut BTreeMap<String, Pane>) {
    let read = work.read(row, |row| {
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
    });
    let Some((component, row, (pane_name, tool_name, placed, state))) = read else { return };
    let Some(pane) = panes.get_mut(&pane_name) else {
        return work.skip(component, format!("there is no readable pane `{pane_name}` in the archive"));
    };
    let Some(tool) = work.resolve::<PaneTool>(&tool_name) else {
        let reason = work.why_not(Kind::PaneTool, &tool_name);
        work.report.warn("tool-missing", format!("{PANE_TAB}/{}", row.name), reason.clone());
        return work.skip(component, reason);
    };
    if pane.tools.iter().any(|other| other.tool.tool == tool) {
        let reason = Unreadable(format!("`{tool}` is placed in `{pane_name}` twice: keep one"));
        return work.quarantine(component, &reason);
    }
    let (enabled, order, icon, tooltip, unique_name) = placed;
    if state == State::Inactive {
        work.note(component, "an inactive placement is one that is not enabled");
    }
    pane.tools.push(Placed {
        component,
        tool: PlacedTool {
            tool,
            enabled: enabled && state == State::Active,
            order,
            settings: serde_json::Map::new(),
            icon,
            tooltip,
            unique_name,
        },
    });
    pane.keep(row);
}
