//! Imports direct assignments: `loadout/assignments.json`, from login to profiles (ruling 8.16).
//!
//! Only the store knows which people exist here, so the plan is completed by [`Plan::assign`] before it is carried out.
//! No person is created: an assignment of a person who does not exist here is reported.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::profile::share_app;
use crate::domain::revision::ChangeRecord;
use crate::domain::{App, Item, Kind, Name, Profile, RankAndRoles, SecondAssignment, User};
use crate::store::Change;

use super::Plan;
use super::json;
use super::layout::FOLDER;
use super::report::Outcome;
use super::unreadable::Unreadable;
use super::work::Work;

/// The path of the direct assignments in an archive.
pub(crate) fn path() -> String {
    format!("{FOLDER}/assignments.json")
}

/// An assignment in an archive.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    component: usize,
    login: Name<User>,
    profile: Name<Profile>,
}

/// Reads the assignments, and checks that their profiles exist.
pub(super) fn read(work: &mut Work<'_>, content: Option<Vec<u8>>) -> Vec<Wanted> {
    let Some(content) = content else { return Vec::new() };
    let read = match json::read_people::<BTreeMap<String, BTreeSet<String>>>(&content) {
        Ok(read) => read,
        Err(error) => {
            let component = work.component(FOLDER, &path());
            let reason = format!("`{}` is no list of profiles by login: {error}", path());
            work.quarantine(component, &Unreadable(reason));
            return Vec::new();
        }
    };
    let mut wanted = Vec::new();
    for (login, profiles) in read {
        let mut profiles: Vec<String> = profiles.into_iter().collect();
        profiles.sort_by_key(|profile| rank(work, profile));
        let mut taken: Vec<(String, BTreeSet<Name<App>>)> = Vec::new();
        for name in profiles {
            let component = work.component(&path(), &format!("{name}/{login}"));
            let Some(profile) = profile(work, &name) else {
                let reason = work.why_not(Kind::Profile, &name);
                work.quarantine(component, &Unreadable(reason));
                continue;
            };
            let apps = profile.apps.clone();
            // One profile per person and app (ruling 8.3): otherwise a second profile would replace the first, and the
            // next import would do the reverse.
            if let Some((first, _)) = taken.iter().find(|(_, other)| share_app(&apps, other)) {
                let reason = format!("a person has one profile per app, and `{first}` comes first");
                work.skip(component, reason);
                continue;
            }
            match (login.parse(), name.parse()) {
                (Ok(login), Ok(profile)) => wanted.push(Wanted { component, login, profile }),
                (Err(error), _) | (_, Err(error)) => work.quarantine(component, &Unreadable(error.to_string())),
            }
            taken.push((name, apps));
        }
    }
    wanted
}

/// The profile of that name: the planned one, or the one that exists here.
fn profile<'w>(work: &'w Work<'_>, name: &str) -> Option<&'w Profile> {
    let here = || work.base.entry(Kind::Profile, name).map(|entry| &entry.item);
    Profile::from_any(work.planned_any(Kind::Profile, name).or_else(here)?)
}

fn rank(work: &Work<'_>, profile: &str) -> u8 {
    let here = || work.base.entry(Kind::RankAndRoles, profile).map(|entry| &entry.item);
    let ranked = work.planned_any(Kind::RankAndRoles, profile).or_else(here).and_then(RankAndRoles::from_any);
    ranked.and_then(|ranked| ranked.rank).unwrap_or(u8::MAX)
}

impl Plan {
    /// Plans the assignments of people who exist here. `direct` returns the profiles to which a person is assigned
    /// directly, or `None` if the person does not exist.
    pub fn assign<E>(
        &mut self,
        second: SecondAssignment,
        direct: impl Fn(&Name<User>) -> Result<Option<Vec<Name<Profile>>>, E>,
    ) -> Result<(), E> {
        let mut assigned = BTreeSet::new();
        for Wanted { component, login, profile } in std::mem::take(&mut self.assignments) {
            let account = &mut self.report.components[component];
            let Some(direct) = direct(&login)? else {
                account.note(format!("there is no person `{login}` here: create the person, then import again"));
                continue;
            };
            account.collection = Some(ChangeRecord::ASSIGNMENTS.to_owned());
            account.name = Some(format!("{profile}/{login}"));
            if direct.contains(&profile) {
                account.outcome = Outcome::Unchanged;
            } else if second == SecondAssignment::IsRefused && (!direct.is_empty() || assigned.contains(&login)) {
                account.note(format!("`{login}` is assigned already, and a second assignment is refused here"));
            } else {
                account.outcome = Outcome::Created;
                for before in &direct {
                    account.note(format!("`{before}` was assigned before, and gives way where both are for one app"));
                }
                assigned.insert(login.clone());
                self.changes.changes.push(Change::Assign { profile, login });
            }
        }
        self.report.settle();
        Ok(())
    }
}
