//! One direct profile for each person and app, also where the apps of a profile change (ruling 8.3).
//!
//! A profile that begins to serve an app is as if all its people were assigned to it again: where a second assignment
//! replaces the first, their assignments to other profiles for that app end, however many there are. Refuses that where
//! a second assignment is refused. Profiles that met before the change are left alone: each answer warns of them.

use crate::domain::profile::share_app;
use crate::domain::revision::ChangeRecord;
use crate::domain::{Name, Profile, SecondAssignment};

use super::draft::Draft;
use super::{Displaced, Error, How, Links, Referrer, Snapshot, people, rows};

impl Draft<'_> {
    /// Ends or refuses what would be second assignments, now that profiles are as they will be.
    pub(super) fn keep_one_profile_each(&mut self) -> Result<(), Error> {
        // The one put last comes first, and keeps its people.
        for name in std::mem::take(&mut self.profiles_put).into_iter().rev() {
            let Some(profile) = profile(&self.library, &name) else { continue };
            let apps = profile.apps.clone();
            if self::profile(self.before, &name).is_some_and(|before| before.apps == apps) {
                continue;
            }
            for (other, count) in people::who_share(self.connection, &name)? {
                let meet_now = self::profile(&self.library, &other).is_some_and(|it| share_app(&apps, &it.apps));
                if meet_now && !self.met_before(&name, &other) {
                    self.displace(&name, &other, count)?;
                }
            }
        }
        Ok(())
    }

    fn met_before(&self, one: &str, other: &str) -> bool {
        let (one, other) = (profile(self.before, one), profile(self.before, other));
        one.zip(other).is_some_and(|(one, other)| share_app(&one.apps, &other.apps))
    }

    /// Ends the assignments to `other` of all people of `name`.
    fn displace(&mut self, name: &str, other: &str, count: u64) -> Result<(), Error> {
        let logins = people::shared_logins(self.connection, name, other, Links::PEOPLE)?;
        if self.library.environment().second_assignment == SecondAssignment::IsRefused {
            let person = |login| Referrer {
                collection: ChangeRecord::ASSIGNMENTS.to_owned(),
                name: login,
                attribute: "profile".to_owned(),
            };
            let links = Links { listed: logins.into_iter().map(person).collect(), count };
            return Err(Error::Overlapping { profile: name.to_owned(), other: other.to_owned(), links });
        }
        rows::unassign_shared(self.connection, self.revision, name, other)?;
        for login in &logins {
            self.record(ChangeRecord::ASSIGNMENTS, format!("{other}/{login}"), How::Deleted);
        }
        self.displaced.push(Displaced { profile: other.to_owned(), by: name.to_owned(), people: count });
        Ok(())
    }
}

fn profile<'a>(library: &'a Snapshot, name: &str) -> Option<&'a Profile> {
    name.parse().ok().and_then(|name: Name<Profile>| library.get(&name))
}
