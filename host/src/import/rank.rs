//! Imports ranks of profiles, and the roles mapped to them.
//!
//! A role is identified by its name, or by a GUID that the solution's own roles resolve. Roles are never created: a
//! mapping to a role that does not exist here is quarantined. If the archive maps no role, the existing mappings stay.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::source::guid;
use crate::domain::{Kind, Name, Profile, RankAndRoles, SecurityRole};

use super::profile_table::PROFILE;
use super::report::Outcome;
use super::rows::Rows;
use super::unreadable::Unreadable;
use super::work::Work;

pub(crate) const MAPPING: &str = "msdyn_appprofilerolemapping";

/// The ranks and roles in the archive, by profile.
#[derive(Default)]
pub(super) struct Ranks {
    ranks: BTreeMap<String, u8>,
    roles: BTreeMap<String, BTreeSet<Name<SecurityRole>>>,
}

impl Ranks {
    /// Records the rank of a profile. Refuses a rank that is out of range.
    pub(super) fn rank(&mut self, profile: &str, rank: i64) -> Result<(), String> {
        let max = RankAndRoles::RANK_MAX;
        let rank = u8::try_from(rank).ok().filter(|rank| *rank <= max);
        let rank = rank.ok_or_else(|| format!("the rank is out of range and left out: 0 to {max}"))?;
        self.ranks.insert(profile.to_owned(), rank);
        Ok(())
    }

    /// Reads the role mappings.
    pub(super) fn read(&mut self, work: &mut Work<'_>, rows: &mut Rows) {
        for row in rows.take(MAPPING) {
            let read = work.read(row, |row| {
                let named = |named: Option<String>, column: &str| {
                    named.ok_or_else(|| Unreadable(format!("`{column}` is missing, and it is required")))
                };
                let profile = named(row.lookup("msdyn_appprofileid"), "msdyn_appprofileid")?;
                let role = named(row.lookup("msdyn_securityroleid"), "msdyn_securityroleid")?;
                Ok((profile, role))
            });
            let Some((component, _, (profile, role))) = read else { continue };
            let named = guid(&role).and_then(|id| work.roles.get(&id)).unwrap_or(&role);
            let Some(found) = work.resolve::<SecurityRole>(named) else {
                let reason = format!("the role `{named}` is not here: create it, or map another");
                work.report.warn("role-missing", format!("{PROFILE}/{profile}"), reason.clone());
                work.quarantine(component, &Unreadable(reason));
                continue;
            };
            self.roles.entry(profile.clone()).or_default().insert(found);
            work.merge(component, Kind::RankAndRoles, &profile);
        }
    }

    /// Plans ranks and roles of all profiles that have any.
    pub(super) fn put(self, work: &mut Work<'_>) {
        let profiles: BTreeSet<&String> = self.ranks.keys().chain(self.roles.keys()).collect();
        for profile in profiles {
            let found = work.resolve::<Profile>(profile);
            let Some(found) = found.filter(|_| !work.is_shipped(Kind::Profile, profile)) else {
                let reason = work.why_not(Kind::Profile, profile);
                work.withdraw(Kind::RankAndRoles, profile, Outcome::Skipped, &reason);
                continue;
            };
            let here = work.here.rank_and_roles(&found);
            let rank = self.ranks.get(profile).copied().or_else(|| here.and_then(|here| here.rank));
            let roles = self.roles.get(profile).or_else(|| here.map(|here| &here.roles));
            let item = RankAndRoles { rank, roles: roles.cloned().unwrap_or_default() };
            let component = work.component(PROFILE, profile);
            work.note(component, "its rank and roles");
            work.put(component, profile, item);
        }
    }
}
