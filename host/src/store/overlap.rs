//! Enforces one direct profile for each person and app, also if the apps of a profile change (ruling 8.3).
//!
//! If a profile begins to serve an app, all its people are treated as if they were assigned to it again. If a second
//! assignment replaces the first, their assignments to other profiles for that app end, however many there are. If a
//! second assignment is refused, the change is refused. Profiles that shared an app and people before the change are
//! left alone: each answer warns of them.

use rusqlite::Connection;

use crate::domain::profile::share_app;
use crate::domain::revision::ChangeRecord;
use crate::domain::{Name, Profile, SecondAssignment};

use super::draft::Draft;
use super::{Displaced, Error, How, Links, Referrer, Snapshot, Store, people, rows};

impl Store {
    /// Returns the direct assignments that would end by a change from `before` to `after` that puts the profiles `put`,
    /// in that order. Writes nothing. If the environment refuses second assignments, the change would be refused
    /// instead.
    pub fn would_end(&self, before: &Snapshot, after: &Snapshot, put: &[&str]) -> Result<Vec<Displaced>, Error> {
        self.read(|connection| {
            let mut ended: Vec<Displaced> = Vec::new();
            for name in put.iter().rev() {
                for (other, people) in meetings(connection, before, after, name)? {
                    // Each pair of profiles that share people counts once.
                    if !ended.iter().any(|it| it.profile == *name && it.by == other) {
                        ended.push(Displaced { profile: other, by: (*name).to_owned(), people });
                    }
                }
            }
            Ok(ended)
        })
    }
}

impl Draft<'_> {
    /// Ends or refuses second assignments, once all profiles of the change set are put.
    pub(super) fn keep_one_profile_each(&mut self) -> Result<(), Error> {
        // The profile put last comes first, and keeps its people.
        for name in std::mem::take(&mut self.profiles_put).into_iter().rev() {
            for (other, count) in meetings(self.connection, self.before, &self.library, &name)? {
                self.displace(&name, &other, count)?;
            }
        }
        Ok(())
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

/// Returns the profiles that newly share an app with profile `name` and have people in common with it, with the number
/// of those people.
fn meetings(
    connection: &Connection,
    before: &Snapshot,
    after: &Snapshot,
    name: &str,
) -> Result<Vec<(String, u64)>, Error> {
    let Some(now) = profile(after, name) else { return Ok(Vec::new()) };
    let then = profile(before, name);
    if then.is_some_and(|then| then.apps == now.apps) {
        return Ok(Vec::new());
    }
    let meets = |one: Option<&Profile>, other: Option<&Profile>| {
        one.zip(other).is_some_and(|(one, other)| share_app(&one.apps, &other.apps))
    };
    let mut shared = people::who_share(connection, name)?;
    shared.retain(|(other, _)| meets(Some(now), profile(after, other)) && !meets(then, profile(before, other)));
    Ok(shared)
}

fn profile<'a>(library: &'a Snapshot, name: &str) -> Option<&'a Profile> {
    name.parse().ok().and_then(|name: Name<Profile>| library.get(&name))
}
