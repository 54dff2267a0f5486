//! Exports productivity panes, which are parts of profiles here and items of their own in a solution. Profiles that
//! share a pane keep sharing it.

use crate::domain::{Name, PaneMode, ProductivityPane, Profile, State};
use crate::import::pane::{PANE, PANE_ID};
use crate::import::pane_tab::PANE_TAB;
use crate::import::profile_table::ID;

use super::tables::Tables;

/// Writes the pane of a profile, unless it is the default pane.
pub(super) fn write(tables: &mut Tables<'_>, profile_name: &Name<Profile>, profile: &Profile) {
    let mut pane = profile.productivity_pane.clone();
    if pane == ProductivityPane::default() {
        return;
    }
    // No column holds the settings of tools.
    pane.tools.iter_mut().for_each(|tool| tool.settings.clear());
    let own = pane.unique_name.clone().map(|own| own.to_string());
    let own = own.filter(|own| tables.panes.get(own).is_none_or(|same| *same == pane));
    let row = tables.part(
        PANE,
        own.as_deref(),
        &format!("{profile_name}_pane"),
        |row| {
            row.text("msdyn_name", pane.name.as_ref());
            row.switch("msdyn_panemode", pane.mode == PaneMode::Expanded);
            row.switch("msdyn_panestate", pane.enabled);
            row.state(State::Active);
        },
        |row| {
            row.text("msdyn_name", Some(pane.name.as_ref().map_or(profile.name.default_text(), |name| name.as_str())))
        },
    );
    for placed in &pane.tools {
        tables.part(
            PANE_TAB,
            placed.unique_name.as_ref().map(|own| own.as_str()),
            &format!("{profile_name}_{}", placed.tool),
            |tab| {
                tab.text("msdyn_iconpath", placed.icon.as_ref());
                tab.switch("msdyn_isenabled", placed.enabled);
                tab.number("msdyn_order", placed.order);
                tab.lookup("msdyn_productivitypaneid", "msdyn_uniquename", &row);
                tab.lookup("msdyn_toolid", "msdyn_uniquename", &placed.tool);
                tab.localized("msdyn_tooltip", placed.tooltip.as_ref());
                tab.state(State::Active);
            },
            |tab| tab.text("msdyn_name", Some(placed.tool.as_str().chars().take(100).collect::<String>())),
        );
    }
    tables.link("msdyn_msdyn_paneconfig_msdyn_appconfig", (ID, profile_name.as_str()), (PANE_ID, &row));
    tables.panes.insert(row, pane);
}
