//! Imports productivity panes, with the tools placed in them.
//!
//! In a solution, a pane is an item of its own; here it is a part of a profile. So it is copied into every profile
//! linked to it. Without a link, the profile's own column counts, and a pane with neither goes to the profiles that
//! have it already. A profile keeps its current pane if the archive names that pane without containing it.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Kind, PaneMode, ProductivityPane, Profile, State};

use super::customizations::Links;
use super::made::size;
use super::pane_tab::{self, Placed};
use super::profile_table::{ID, PROFILE};
use super::row::Row;
use super::rows::Rows;
use super::unreadable::Unreadable;
use super::work::{Drafts, Work};

pub(crate) const PANE: &str = "msdyn_paneconfiguration";
pub(crate) const PANE_ID: &str = "msdyn_paneconfigurationid";

/// The panes of an archive, before they are copied into profiles.
pub(super) struct Panes {
    panes: BTreeMap<String, Pane>,
    /// Placements of tools in panes that the archive does not contain.
    elsewhere: Vec<Placed>,
    /// The panes that the profiles' own columns name, by profile.
    named: BTreeMap<String, String>,
}

struct Pane {
    component: usize,
    pane: ProductivityPane,
    tools: Vec<Placed>,
    kept: BTreeMap<String, String>,
    /// The size of the pane with its tools and kept columns, as JSON.
    bytes: usize,
}

impl Panes {
    /// Reads the panes and their tools.
    pub(super) fn read(work: &mut Work<'_>, rows: &mut Rows) -> Self {
        let (mut panes, mut unreadable, mut elsewhere) = (BTreeMap::new(), BTreeSet::new(), Vec::new());
        for row in rows.take(PANE) {
            let name = row.name.clone();
            let Some((component, row, (pane, state))) = work.read(row, pane) else {
                unreadable.insert(name);
                continue;
            };
            let mut pane = Pane { component, pane, tools: Vec::new(), kept: BTreeMap::new(), bytes: 0 };
            if state == State::Inactive {
                work.note(component, "an inactive pane is a pane that is not enabled");
                pane.pane.enabled = false;
            }
            pane.kept.extend(row.kept());
            panes.insert(name, pane);
        }
        for placed in pane_tab::read(work, rows) {
            match panes.get_mut(&placed.pane) {
                Some(pane) => {
                    pane.kept.extend(placed.kept.clone());
                    pane.tools.push(placed);
                }
                None if unreadable.contains(&placed.pane) => work.skip(placed.component, missing(&placed.pane)),
                None => elsewhere.push(placed),
            }
        }
        for pane in panes.values_mut() {
            pane.tools.sort_by(|a, b| (a.tool.order, &a.tool.tool).cmp(&(b.tool.order, &b.tool.tool)));
            let tools: usize = pane.tools.iter().map(|placed| size(&placed.tool)).sum();
            pane.bytes = size(&pane.pane) + tools + size(&pane.kept);
        }
        panes.retain(|name, pane| {
            let Err(reason) = work.may_keep(size(&pane.kept)) else { return true };
            work.quarantine(pane.component, &reason);
            let reason = missing(name);
            pane.tools.iter().for_each(|placed| work.skip(placed.component, reason.as_str()));
            false
        });
        Self { panes, elsewhere, named: BTreeMap::new() }
    }

    /// Records that the column of `profile` names `pane`.
    pub(super) fn name(&mut self, profile: &str, pane: String) {
        self.named.insert(profile.to_owned(), pane);
    }

    /// Copies every pane into the profiles linked to it, and places tools in panes that exist here.
    pub(super) fn place(mut self, work: &mut Work<'_>, links: &mut Links, drafts: &mut Drafts<Profile>) {
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
        pane_tab::place(work, std::mem::take(&mut self.elsewhere), drafts);
    }

    fn copy(&self, work: &mut Work<'_>, drafts: &mut Drafts<Profile>, profile: &str, pane: &str) -> Result<(), String> {
        let Some(Pane { component, pane, tools, kept, bytes }) = self.panes.get(pane) else {
            return stay(work, drafts, profile, pane);
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

/// Keeps the current pane of a profile if it is the one that the archive names.
fn stay(work: &Work<'_>, drafts: &mut Drafts<Profile>, profile: &str, pane: &str) -> Result<(), String> {
    let here = work.existing::<Profile>(profile);
    let here = here.filter(|here| here.productivity_pane.unique_name.as_ref().is_some_and(|own| own.as_str() == pane));
    let (Some(here), Some(draft)) = (here, drafts.open(work, profile)) else { return Err(missing(pane)) };
    draft.productivity_pane = here.productivity_pane.clone();
    let is_of_pane =
        |column: &str| column.split_once('/').is_some_and(|(table, _)| [PANE, pane_tab::PANE_TAB].contains(&table));
    let kept = here.source.iter().flat_map(|source| &source.attributes).filter(|(column, _)| is_of_pane(column));
    let kept: BTreeMap<String, String> = kept.map(|(column, value)| (column.clone(), value.clone())).collect();
    if !kept.is_empty() {
        draft.source.get_or_insert_default().attributes.extend(kept);
    }
    Ok(())
}

fn missing(pane: &str) -> String {
    format!("there is no readable pane `{pane}` in the archive")
}
