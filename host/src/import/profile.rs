//! Imports experience profiles, with everything linked to them.
//!
//! Settings that the format cannot express are kept from the existing profile: whether all active channels are loaded,
//! whether there is an inbox, the settings of tools. Links to people are left out (ruling 8.16).
//!
//! `CustomerServiceApps` names the whole family of apps, so such a profile is for all apps. Any other app is found by
//! its name or an alias; an unknown one becomes a new app of that name.

use std::collections::BTreeSet;

use crate::domain::{
    App, ApplicationExtension, ChannelProvider, Channels, Copilot, Inbox, Item, Kind, Localized, Name,
    ProductivityPane, Profile, SessionTemplate, SmartAssistConfiguration, State,
};

use super::customizations::Links;
use super::pane::Panes;
use super::rank::Ranks;
use super::row::Row;
use super::rows::Rows;
use super::unreadable::Unreadable;
use super::work::{Drafts, Work};
use super::{copilot, inbox};

pub(crate) const PROFILE: &str = "msdyn_appconfiguration";
pub(crate) const ID: &str = "msdyn_appconfigurationid";
/// The name that stands for all apps of the family.
pub(crate) const APP_FAMILY: &str = "CustomerServiceApps";

/// Plans all profiles, with their links and parts, and the ranks and roles.
pub(super) fn read(work: &mut Work<'_>, rows: &mut Rows, links: &mut Links) {
    let mut drafts = Drafts::new();
    let mut ranks = Ranks::default();
    let mut panes = Panes::read(work, rows);
    for row in rows.take(PROFILE) {
        let Some((component, row, raw)) = work.read(row, raw) else { continue };
        take(work, component, row, raw, &mut drafts, &mut ranks, &mut panes);
    }
    attach(work, links, &mut drafts, "msdyn_sessiontemplateid", |profile, name: Name<SessionTemplate>| {
        profile.session_templates.insert(name);
    });
    attach(work, links, &mut drafts, "msdyn_channelproviderid", |profile, name: Name<ChannelProvider>| {
        profile.channels.providers.insert(name);
    });
    attach(work, links, &mut drafts, "msdyn_smartassistconfigid", |profile, name: Name<SmartAssistConfiguration>| {
        profile.smart_assist.insert(name);
    });
    attach(work, links, &mut drafts, "msdyn_applicationextensionid", |profile, name: Name<ApplicationExtension>| {
        profile.application_extensions.insert(name);
    });
    for link in links.take(ID, "systemuserid") {
        work.leave_out(&link, "assignments of people belong to one environment and never travel".to_owned());
    }
    panes.place(work, links, &mut drafts);
    inbox::read(work, rows, &mut drafts);
    copilot::read(work, rows, &mut drafts);
    drafts.put(work, PROFILE);
    ranks.read(work, rows);
    ranks.put(work);
}

/// The values of a row before its look-ups are resolved.
struct Raw {
    name: Localized<100>,
    description: Option<Localized<2000>>,
    state: State,
    app: Option<String>,
    rank: Option<i64>,
    pane: Option<String>,
}

fn raw(row: &mut Row) -> Result<Raw, Unreadable> {
    Ok(Raw {
        name: row.required("msdyn_name")?,
        description: row.localized("msdyn_description")?,
        state: row.state()?,
        app: row.plain("msdyn_appmoduleuniquename").filter(|app| !app.trim().is_empty()),
        rank: row.number("msdyn_profileorder")?,
        pane: row.lookup("msdyn_productivitypaneuniquename"),
    })
}

fn take(
    work: &mut Work<'_>,
    component: usize,
    row: Row,
    raw: Raw,
    drafts: &mut Drafts<Profile>,
    ranks: &mut Ranks,
    panes: &mut Panes,
) {
    let name = row.name.clone();
    let mut also = Vec::new();
    let apps = match &raw.app {
        None => Ok(BTreeSet::new()),
        Some(app) => {
            also.push(("msdyn_appmoduleuniquename", app.clone()));
            apps(work, component, app.trim())
        }
    };
    let apps = match apps {
        Ok(apps) => apps,
        Err(reason) => return work.quarantine(component, &reason),
    };
    if let Some(pane) = raw.pane {
        also.push(("msdyn_productivitypaneuniquename", pane.clone()));
        panes.name(&name, pane);
    }
    if let Some(rank) = raw.rank
        && let Err(reason) = ranks.rank(&name, rank)
    {
        work.note(component, reason.clone());
        work.report.warn("rank-out-of-range", format!("{PROFILE}/{name}"), reason);
        also.push(("msdyn_profileorder", rank.to_string()));
    }
    let here = work.existing::<Profile>(&name);
    if here.is_none() && !work.whole {
        work.note(component, "the archive cannot say whether all active channels are loaded: they are not");
    }
    let profile = Profile {
        name: raw.name,
        description: raw.description,
        state: raw.state,
        apps,
        session_templates: BTreeSet::new(),
        productivity_pane: ProductivityPane::default(),
        channels: Channels {
            all_active: here.is_some_and(|here| here.channels.all_active),
            providers: BTreeSet::new(),
        },
        inbox: Inbox { enabled: here.is_some_and(|here| here.inbox.enabled), views: Vec::new() },
        copilot: Copilot::default(),
        smart_assist: BTreeSet::new(),
        application_extensions: BTreeSet::new(),
        source: row.source(work.solution.summary.managed, &also),
    };
    drafts.begin(component, &name, profile);
}

fn apps(work: &mut Work<'_>, component: usize, app: &str) -> Result<BTreeSet<Name<App>>, Unreadable> {
    if app == APP_FAMILY {
        work.note(component, format!("`{APP_FAMILY}` names every app of the family: the profile is for every app"));
        return Ok(BTreeSet::new());
    }
    if let Some(known) = work.resolve::<App>(app) {
        return Ok(BTreeSet::from([known]));
    }
    let unreadable = |reason: String| Unreadable(format!("`msdyn_appmoduleuniquename`: {reason}"));
    let name: Name<App> = app.parse().map_err(|error: crate::domain::InvalidName| unreadable(error.to_string()))?;
    let shown = Localized::new(app).map_err(|error| unreadable(error.to_string()))?;
    let created = work.component("appmodule", app);
    work.note(created, "no app of this name was known: one is made for the profiles that name it");
    work.put(created, app, App { name: shown, aliases: BTreeSet::new(), out_of_the_box: Vec::new() });
    Ok(BTreeSet::from([name]))
}

/// Resolves the links from profiles to the items of one kind.
fn attach<T: Item>(
    work: &mut Work<'_>,
    links: &mut Links,
    drafts: &mut Drafts<Profile>,
    column: &str,
    insert: impl Fn(&mut Profile, Name<T>),
) {
    for link in links.take(ID, column) {
        let (name, target) = (link.end(ID), link.end(column));
        let Some(target) = work.resolve::<T>(target) else {
            let reason = work.why_not(T::KIND, target);
            work.leave_out(&link, reason);
            continue;
        };
        match drafts.open(work, name) {
            Some(profile) => {
                insert(profile, target);
                work.link(&link, Kind::Profile, name);
            }
            None => {
                let reason = work.why_not(Kind::Profile, name);
                work.leave_out(&link, reason);
            }
        }
    }
}
