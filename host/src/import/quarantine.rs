//! Makes a plan consistent, because the store takes it whole or not at all.
//!
//! An item that refers to one which is neither planned nor here is quarantined, and then the items that refer to it.
//! The custom default profile stays active, whatever the archive says (ruling 8.4).

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::{AnyItem, DefaultProfile, Item, Kind, Profile, State};
use crate::store::Layer;

use super::profile_table::PROFILE;
use super::report::Outcome;
use super::work::Work;

/// Withdraws the items that the store would refuse.
pub(super) fn settle(work: &mut Work<'_>) {
    keep_default_active(work);
    let naming = naming(work);
    let mut open = work.planned_names();
    while let Some((kind, name)) = open.pop() {
        let Some(reason) = problem(work, kind, &name) else { continue };
        work.withdraw(kind, &name, Outcome::Quarantined, &reason);
        // Only items that refer to it can have become invalid. Each is checked once for each reference it lost, however
        // long the chain.
        if kind == Kind::Profile {
            open.push((Kind::RankAndRoles, Arc::clone(&name)));
        }
        open.extend(naming.get(&(kind, name)).into_iter().flatten().cloned());
    }
}

/// An item by kind and name.
type Key = (Kind, Arc<str>);

/// The planned items that refer to each item.
fn naming(work: &Work<'_>) -> BTreeMap<Key, Vec<Key>> {
    let mut naming: BTreeMap<Key, Vec<Key>> = BTreeMap::new();
    for key in work.planned_names() {
        let Some(mut item) = work.planned_any(key.0, &key.1).cloned() else { continue };
        item.references(&mut |reference| {
            naming.entry((reference.kind, Arc::clone(reference.name))).or_default().push(key.clone());
        });
    }
    naming
}

fn keep_default_active(work: &mut Work<'_>) {
    let planned = work.planned_any(Kind::DefaultProfile, DefaultProfile::NAME).and_then(DefaultProfile::from_any);
    let default = planned.map(|planned| &planned.profile).or(work.base.default_profile()).cloned();
    let Some(name) = default else { return };
    let is_here = work.base.default_profile() == Some(&name);
    let Some(profile) = work.planned_any(Kind::Profile, name.as_str()).and_then(Profile::from_any) else { return };
    let Some(component) = work.component_of(Kind::Profile, name.as_str()) else { return };
    if profile.is_active() || !is_here {
        return;
    }
    let active = Profile { state: State::Active, ..profile.clone() };
    let message = "it is the custom default here and stays active: choose another default, then import again";
    work.note(component, message);
    work.report.warn("default-stays-active", format!("{PROFILE}/{name}"), message);
    work.put(component, name.as_str(), active);
}

/// Why the store would refuse a planned item.
fn problem(work: &Work<'_>, kind: Kind, name: &Arc<str>) -> Option<String> {
    let item = work.planned_any(kind, name)?;
    if let Some(reason) = lost_reference(work, item) {
        return Some(reason);
    }
    match item {
        AnyItem::RankAndRoles(_) => custom_profile(work, name).err(),
        AnyItem::DefaultProfile(default) => match custom_profile(work, default.profile.as_str()) {
            Ok(true) => None,
            Ok(false) => {
                Some(format!("`{}` is inactive and cannot be the default: activate it first", default.profile))
            }
            Err(reason) => Some(reason),
        },
        _ => None,
    }
}

fn lost_reference(work: &Work<'_>, item: &AnyItem) -> Option<String> {
    let mut lost = None;
    item.clone().references(&mut |reference| {
        let found = work.planned_any(reference.kind, reference.name).is_some()
            || work.base.canonical(reference.kind, reference.name).is_some();
        if !found && lost.is_none() {
            lost = Some(format!(
                "`{}` names `{}`, and there is no {} of that name here or in the archive: import it, too",
                reference.attribute, reference.name, reference.kind
            ));
        }
    });
    lost
}

/// Whether the custom profile `name` is active, or why it is no custom profile.
fn custom_profile(work: &Work<'_>, name: &str) -> Result<bool, String> {
    if let Some(planned) = work.planned_any(Kind::Profile, name) {
        return Ok(planned.is_active());
    }
    match work.base.entry(Kind::Profile, name) {
        Some(entry) if entry.layer == Layer::Custom => Ok(entry.item.is_active()),
        _ => Err(work.why_not(Kind::Profile, name)),
    }
}
