//! Exports experience profiles, with their links, parts, ranks and roles.
//!
//! The format has one app per profile; a profile for all apps names the app family. No table has a role that is not
//! shipped, so documents hold the mappings to such roles.

use crate::domain::{AnyItem, Kind, Name, Profile, RankAndRoles};
use crate::import::profile::APP_FAMILY;
use crate::import::profile_table::{ID, PROFILE};
use crate::import::rank::MAPPING;
use crate::store::{Layer, Snapshot};

use super::tables::Tables;
use super::{copilot, inbox, pane};

/// Writes every profile.
pub(super) fn write(tables: &mut Tables<'_>) {
    let profiles: Vec<_> = tables.custom::<Profile>().collect();
    for (name, profile) in profiles {
        let app = app(tables.snapshot, profile);
        let ranked = tables.snapshot.rank_and_roles(&name);
        tables.item(PROFILE, &name, profile.source.as_ref(), |row| {
            row.text("msdyn_appmoduleuniquename", app);
            row.localized("msdyn_description", profile.description.as_ref());
            row.localized("msdyn_name", Some(&profile.name));
            if let Some(rank) = ranked.and_then(|ranked| ranked.rank) {
                row.number("msdyn_profileorder", rank);
            }
            row.state(profile.state);
        });
        if let Some(ranked) = ranked {
            roles(tables, &name, ranked);
        }
        links(tables, &name, profile);
        pane::write(tables, &name, profile);
        inbox::write(tables, &name, profile);
        copilot::write(tables, &name, profile);
    }
}

/// The value of the column for the app.
fn app(snapshot: &Snapshot, profile: &Profile) -> Option<String> {
    let came_with = profile.source.as_ref().map(|source| source.attributes.get("msdyn_appmoduleuniquename"));
    let Some(app) = profile.apps.first() else {
        return match came_with {
            // A profile that was imported without an app is exported without one.
            Some(None) => None,
            _ => Some(APP_FAMILY.to_owned()),
        };
    };
    let is_meant = |typed: &&String| snapshot.canonical(Kind::App, typed.trim()).as_ref() == Some(app.shared());
    Some(came_with.flatten().filter(is_meant).cloned().unwrap_or_else(|| elsewhere(snapshot, app.as_str())))
}

/// The name of an app in other environments. A custom app is in no table and has its own name.
pub(super) fn elsewhere(snapshot: &Snapshot, app: &str) -> String {
    let entry = snapshot.entry(Kind::App, app).filter(|entry| entry.layer == Layer::OutOfTheBox);
    let alias = entry.and_then(|entry| match &entry.item {
        AnyItem::App(app) => app.aliases.first(),
        _ => None,
    });
    alias.map_or_else(|| app.to_owned(), ToString::to_string)
}

fn roles(tables: &mut Tables<'_>, profile: &Name<Profile>, ranked: &RankAndRoles) {
    for role in &ranked.roles {
        tables.part(
            MAPPING,
            None,
            &format!("{profile}_{role}"),
            |row| {
                row.lookup("msdyn_appprofileid", "msdyn_uniquename", profile);
                row.lookup("msdyn_securityroleid", "name", role);
            },
            |row| {
                row.text("msdyn_name", Some(role.as_str().chars().take(100).collect::<String>()));
                row.state(crate::domain::State::Active);
            },
        );
    }
}

fn links(tables: &mut Tables<'_>, name: &Name<Profile>, profile: &Profile) {
    let profile_end = (ID, name.as_str());
    for template in &profile.session_templates {
        let end = ("msdyn_sessiontemplateid", template.as_str());
        tables.link("msdyn_appconfiguration_sessiontemplate", profile_end, end);
    }
    for provider in &profile.channels.providers {
        let end = ("msdyn_channelproviderid", provider.as_str());
        tables.link("msdyn_appconfig_msdyn_channelprovider", profile_end, end);
    }
    for configuration in &profile.smart_assist {
        let end = ("msdyn_smartassistconfigid", configuration.as_str());
        tables.link("msdyn_smartassistconfig_msdyn_appconfig", profile_end, end);
    }
    for extension in &profile.application_extensions {
        let end = ("msdyn_applicationextensionid", extension.as_str());
        tables.link("msdyn_appconfiguration_applicationextension", profile_end, end);
    }
}
