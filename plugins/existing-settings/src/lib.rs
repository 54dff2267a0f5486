//! The settings an environment had before it was upgraded, in its out-of-the-box profiles.
//!
//! The rules in plain words are the README beside this file.

mod pane;
mod provider;
mod smart_assist;

use std::collections::BTreeSet;

use loadout_sdk::upgrade::{Migration, Page, Row, Unusable, UpgradeStep, Upsert};
use loadout_sdk::{Fault, Library, export_upgrade};
use serde_json::Value;

pub(crate) struct ExistingSettings;

const PROFILE: &str = "msdyn_appconfiguration";

/// The profiles that come with the apps there were when settings belonged to the whole environment.
const OUT_OF_THE_BOX: &[&str] =
    &["msdyn_csw_channels_default_profile", "msdyn_csw_default_profile", "msdyn_omnichannel_default_profile"];

impl UpgradeStep for ExistingSettings {
    fn migrate(page: &Page, library: &Library<'_>) -> Result<Migration, Fault> {
        let mut migration = Migration::default();
        let of = |table: &str| page.rows.iter().filter(|row| row.table == table).collect::<Vec<_>>();
        pane::migrate(page, &of(pane::TABLE), library, &mut migration)?;
        smart_assist::migrate(page, &of(smart_assist::TABLE), library, &mut migration)?;
        provider::migrate(page, &of(provider::TABLE), library, &mut migration)?;
        Ok(migration)
    }
}

/// Returns the name by which references call a row: its unique name, or else its id in the source.
pub(crate) fn unique_name(row: &Row) -> &str {
    row.text("msdyn_uniquename").filter(|name| !name.is_empty()).unwrap_or(&row.id)
}

/// Returns the out-of-the-box profiles a setting is for, with the rows that say so. A setting that is linked to no
/// profile was for all users; one that is linked to custom profiles only is for none of these profiles.
pub(crate) fn profiles_of<'a>(
    page: &'a Page,
    row: &'a Row,
    library: &Library<'_>,
) -> (BTreeSet<&'static str>, Vec<&'a Row>) {
    let linked: Vec<&Row> = page.around(row, PROFILE).collect();
    let here = |name: &str| matches!(library.item::<Value>("profiles", name), Ok(Some(_)));
    let there = OUT_OF_THE_BOX.iter().copied().filter(|name| here(name));
    if linked.is_empty() && !row.links.iter().any(|link| link.table == PROFILE) {
        return (there.collect(), Vec::new());
    }
    let named = |row: &&Row| OUT_OF_THE_BOX.contains(&unique_name(row));
    let shipped: Vec<&Row> = linked.into_iter().filter(named).collect();
    (there.filter(|name| shipped.iter().any(|row| unique_name(row) == *name)).collect(), shipped)
}

/// Adds names to a list of an out-of-the-box profile, once for all rows: a patch replaces a list as a whole.
pub(crate) fn add_to_profiles(
    library: &Library<'_>,
    path: [&str; 2],
    added: &[(BTreeSet<&'static str>, String, Vec<&Row>)],
    migration: &mut Migration,
) -> Result<(), Fault> {
    for profile in OUT_OF_THE_BOX {
        let of_profile: Vec<_> = added.iter().filter(|(profiles, ..)| profiles.contains(profile)).collect();
        if of_profile.is_empty() {
            continue;
        }
        let item: Value = library.item("profiles", profile)?.unwrap_or(Value::Null);
        let list = if path[1].is_empty() { &item[path[0]] } else { &item[path[0]][path[1]] };
        let mut names: BTreeSet<String> =
            list.as_array().into_iter().flatten().filter_map(|name| Some(name.as_str()?.to_owned())).collect();
        names.extend(of_profile.iter().map(|(_, name, _)| name.clone()));
        let names: Value = names.into_iter().collect();
        let patch = if path[1].is_empty() {
            serde_json::json!({ path[0]: names })
        } else {
            serde_json::json!({ path[0]: { path[1]: names } })
        };
        let sources = of_profile.iter().flat_map(|(_, _, rows)| rows.iter().copied());
        migration.upserts.push(Upsert::patch("profiles", profile, patch).from_all(sources));
    }
    Ok(())
}

/// A row that belongs to profiles an upgrade does not make.
pub(crate) fn of_custom_profiles() -> Unusable {
    let reason = "it belongs to custom profiles only: export them as a solution, and import that";
    Unusable::new("custom-profile", reason)
}

export_upgrade!(ExistingSettings);

#[cfg(test)]
#[test]
fn cases() {
    loadout_sdk::testing::check_upgrade_cases::<ExistingSettings>(concat!(env!("CARGO_MANIFEST_DIR"), "/cases"));
}
