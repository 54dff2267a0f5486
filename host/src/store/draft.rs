//! A draft: a change set on its way to a revision. Carries out each change on the library and the people.
//!
//! Refuses a state that the author did not expect, and items that only the upgrader may write. Whether the outcome is
//! consistent is checked when the draft is settled.

use std::collections::BTreeSet;
use std::sync::Arc;

use rusqlite::Connection;

use crate::domain::name::{check_authored_name, check_new_name};
use crate::domain::profile::share_app;
use crate::domain::revision::ChangeRecord;
use crate::domain::{AnyItem, Kind, Name, Problem, Profile, Revision, SecondAssignment, User};

use super::{
    Authority, Change, ChangeSet, Changed, Displaced, Entry, Error, Expect, How, Layer, Links, MissingReference,
    Referrer, Replaced, Snapshot, Strictness, Tolerated,
    checks::{self, Finding},
    people, rows,
    unlink::{self, Rest},
};

/// A change set on its way to a revision.
pub(super) struct Draft<'a> {
    pub(super) connection: &'a Connection,
    pub(super) before: &'a Snapshot,
    pub(super) library: Snapshot,
    pub(super) revision: Revision,
    pub(super) strictness: Strictness,
    pub(super) authority: Authority,
    pub(super) touched: BTreeSet<(Kind, Arc<str>)>,
    /// The items that the author wrote and can mend.
    pub(super) authored: BTreeSet<(Kind, Arc<str>)>,
    pub(super) users: Vec<(Arc<str>, User)>,
    pub(super) changed: Vec<Changed>,
    pub(super) replaced: Vec<Replaced>,
    pub(super) displaced: Vec<Displaced>,
    /// Profiles that were put, each once, in the order of their last change.
    pub(super) profiles_put: Vec<Arc<str>>,
    pub(super) unlinked: Links,
    pub(super) tolerated: Vec<Tolerated>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(connection: &'a Connection, before: &'a Snapshot, changes: &ChangeSet) -> Self {
        Self {
            connection,
            before,
            library: before.clone(),
            revision: Revision(before.revision().0 + 1),
            strictness: changes.strictness,
            authority: changes.authority,
            touched: BTreeSet::new(),
            authored: BTreeSet::new(),
            users: Vec::new(),
            changed: Vec::new(),
            replaced: Vec::new(),
            displaced: Vec::new(),
            profiles_put: Vec::new(),
            unlinked: Links::default(),
            tolerated: Vec::new(),
        }
    }

    pub(super) fn apply(&mut self, change: Change) -> Result<(), Error> {
        match change {
            Change::Put { name, item, expect } => self.put(name, item, expect),
            Change::Delete { kind, name, expect, force } => self.delete(kind, &name, expect, force),
            Change::Assign { profile, login } => self.assign(&profile, &login),
            Change::Unassign { profile, login } => self.unassign(&profile, &login),
        }
    }

    fn put(&mut self, name: Arc<str>, item: AnyItem, expect: Expect) -> Result<(), Error> {
        let kind = item.kind();
        let present = self.expect(kind, &name, expect)?;
        self.writable(kind, &name)?;
        // Rank and roles have the name of their profile, which exists.
        if present.is_none() && self.authority != Authority::Product && kind != Kind::RankAndRoles {
            check_new_name(kind, &name)?;
            match (check_authored_name(kind, &name), self.strictness) {
                (Err(error), Strictness::Refuse) => return Err(error.into()),
                (Err(error), Strictness::Report) => {
                    let problem =
                        Problem { attribute: "uniqueName".into(), message: error.to_string(), tolerable: true };
                    self.tolerated.push(Tolerated { kind, name: name.to_string(), problem });
                }
                (Ok(()), _) => {}
            }
        }
        match item {
            AnyItem::User(user) => self.users.push((name, user)),
            item => {
                if kind == Kind::Profile {
                    // If profiles serve the same app, the one put last keeps the people.
                    self.profiles_put.retain(|known| *known != name);
                    self.profiles_put.push(Arc::clone(&name));
                }
                let layer = self.layer_of(kind, &name);
                self.library.insert(Arc::clone(&name), Entry::new(item, self.revision, layer));
                self.authored.insert((kind, Arc::clone(&name)));
                self.touched.insert((kind, name));
            }
        }
        Ok(())
    }

    fn delete(&mut self, kind: Kind, name: &Arc<str>, expect: Expect, force: bool) -> Result<(), Error> {
        let expect = if expect == Expect::Anything { Expect::Present } else { expect };
        self.expect(kind, name, expect)?;
        self.writable(kind, name)?;
        if kind == Kind::User {
            return self.delete_user(name);
        }
        let referrers = checks::referrers(&self.library, kind, name);
        let people = self.people_with(kind, name)?;
        let mut links = Links { count: referrers.len() as u64, listed: referrers.clone() };
        links.add(people.clone());
        if links.count > 0 && !force {
            return Err(Error::InUse { kind, name: name.to_string(), links });
        }
        for referrer in &referrers {
            self.unlink(kind, name, referrer)?;
        }
        self.forget_people(kind, name, &people)?;
        self.unlinked.add(links);
        // The mapping is a part of the profile and goes with it.
        if kind == Kind::Profile && self.library.entry(Kind::RankAndRoles, name).is_some() {
            self.library.remove(Kind::RankAndRoles, name);
            self.touched.insert((Kind::RankAndRoles, Arc::clone(name)));
        }
        self.library.remove(kind, name);
        self.touched.insert((kind, Arc::clone(name)));
        Ok(())
    }

    fn delete_user(&mut self, login: &str) -> Result<(), Error> {
        for profile in people::assigned_profiles(self.connection, login, self.before.revision())? {
            rows::unassign(self.connection, self.revision, login, profile.as_str())?;
            self.record(ChangeRecord::ASSIGNMENTS, format!("{profile}/{login}"), How::Deleted);
            let (collection, attribute) = (ChangeRecord::ASSIGNMENTS.to_owned(), "login".to_owned());
            let listed = vec![Referrer { collection, name: profile.to_string(), attribute }];
            self.unlinked.add(Links { listed, count: 1 });
        }
        rows::end(self.connection, self.revision, Kind::User, login)?;
        self.record(Kind::User.collection(), login, How::Deleted);
        Ok(())
    }

    /// Removes one link of the library to an item (ruling 8.5).
    fn unlink(&mut self, kind: Kind, name: &str, referrer: &Referrer) -> Result<(), Error> {
        let referring: Kind = referrer.collection.parse().map_err(|error| Error::Corrupt(Box::new(error)))?;
        self.writable(referring, &referrer.name)?;
        let key: Arc<str> = referrer.name.as_str().into();
        let Some(entry) = self.library.entry(referring, &key) else { return Ok(()) };
        let needed = |why| Error::StillNeeded { kind, name: name.to_owned(), by: Box::new(referrer.clone()), why };
        match unlink::without(&entry.item, &key, kind, name) {
            Rest::Item(item) => {
                let layer = self.layer_of(referring, &key);
                self.library.insert(Arc::clone(&key), Entry::new(*item, self.revision, layer));
                let broken = checks::findings(&self.library, referring, &key, true).into_iter();
                if let Some(new) = broken.into_iter().find(|finding| self.is_new(finding)) {
                    return Err(needed(format!("`{}` {}", new.problem.attribute, new.problem.message)));
                }
            }
            Rest::Nothing => self.library.remove(referring, &key),
            Rest::Needed(why) => return Err(needed(why)),
        }
        self.touched.insert((referring, key));
        Ok(())
    }

    fn assign(&mut self, profile: &Name<Profile>, login: &Name<User>) -> Result<(), Error> {
        let Some(wanted) = self.library.get(profile) else {
            return Err(Error::NotFound { kind: Kind::Profile, name: profile.to_string() });
        };
        let apps = wanted.apps.clone();
        self.flush_users()?;
        if people::current_user(self.connection, login.as_str())?.is_none() {
            return Err(Error::MissingReferences(vec![MissingReference {
                collection: ChangeRecord::ASSIGNMENTS.to_owned(),
                name: profile.to_string(),
                attribute: "login".to_owned(),
                wanted_in: Kind::User.collection().to_owned(),
                wanted: login.to_string(),
            }]));
        }
        // Reads at the revision being made, so that earlier changes of this set count.
        let assigned = people::assigned_profiles(self.connection, login.as_str(), self.revision)?;
        if assigned.contains(profile) {
            return Ok(());
        }
        for earlier in assigned {
            let overlaps = self.library.get(&earlier).is_none_or(|other| share_app(&apps, &other.apps));
            if !overlaps {
                continue;
            }
            if self.library.environment().second_assignment == SecondAssignment::IsRefused {
                return Err(Error::AlreadyAssigned { login: login.to_string(), profile: earlier.to_string() });
            }
            rows::unassign(self.connection, self.revision, login.as_str(), earlier.as_str())?;
            self.record(ChangeRecord::ASSIGNMENTS, format!("{earlier}/{login}"), How::Deleted);
            self.replaced.push(Replaced { login: login.to_string(), profile: earlier.to_string() });
        }
        rows::assign(self.connection, self.revision, login.as_str(), profile.as_str())?;
        self.record(ChangeRecord::ASSIGNMENTS, format!("{profile}/{login}"), How::Created);
        Ok(())
    }

    fn unassign(&mut self, profile: &Name<Profile>, login: &Name<User>) -> Result<(), Error> {
        let assigned = people::assigned_profiles(self.connection, login.as_str(), self.revision)?;
        if !assigned.contains(profile) {
            return Ok(());
        }
        rows::unassign(self.connection, self.revision, login.as_str(), profile.as_str())?;
        self.record(ChangeRecord::ASSIGNMENTS, format!("{profile}/{login}"), How::Deleted);
        Ok(())
    }

    /// Refuses a state that the author did not expect. Returns the revision that wrote the item, if it exists.
    fn expect(&self, kind: Kind, name: &str, expect: Expect) -> Result<Option<Revision>, Error> {
        let present = match kind {
            Kind::User => people::current_user(self.connection, name)?.map(|(_, since)| since),
            _ => self.library.entry(kind, name).map(|entry| entry.revision),
        };
        let name = || name.to_owned();
        match (expect, present) {
            (Expect::Present, None) => Err(Error::NotFound { kind, name: name() }),
            (Expect::Revision(_), None) => Err(Error::Gone { kind, name: name() }),
            (Expect::Absent, Some(_)) => Err(Error::Exists { kind, name: name() }),
            (Expect::Revision(seen), Some(current)) if seen != current => {
                Err(Error::Stale { kind, name: name(), seen, current })
            }
            _ => Ok(present),
        }
    }

    fn writable(&self, kind: Kind, name: &str) -> Result<(), Error> {
        let shipped = self.library.entry(kind, name).is_some_and(|entry| entry.layer == Layer::OutOfTheBox);
        if shipped && self.authority == Authority::Custom {
            return Err(Error::ReadOnly { kind, name: name.to_owned() });
        }
        Ok(())
    }

    /// Returns the layer of an item once it is written.
    pub(super) fn layer_of(&self, kind: Kind, name: &str) -> Layer {
        match (self.authority, self.before.entry(kind, name)) {
            (Authority::Product, _) => Layer::OutOfTheBox,
            (Authority::Upgrader, Some(before)) => before.layer,
            _ => Layer::Custom,
        }
    }

    /// Returns the people who are linked to an item: those assigned to a profile, or those who hold a role.
    fn people_with(&self, kind: Kind, name: &str) -> Result<Links, Error> {
        let (logins, count) = match kind {
            Kind::Profile => (
                people::assigned_logins(self.connection, name, "", Links::PEOPLE)?,
                people::count_assigned(self.connection, name)?,
            ),
            Kind::SecurityRole => (
                people::holders(self.connection, name, "", Links::PEOPLE)?,
                people::count_holders(self.connection, name)?,
            ),
            _ => return Ok(Links::default()),
        };
        let (collection, attribute) = match kind {
            Kind::Profile => (ChangeRecord::ASSIGNMENTS, "profile"),
            _ => (Kind::User.collection(), "roles"),
        };
        let person =
            |login| Referrer { collection: collection.to_owned(), name: login, attribute: attribute.to_owned() };
        Ok(Links { listed: logins.into_iter().map(person).collect(), count })
    }

    /// Removes an item from all people who are linked to it, however many they are.
    fn forget_people(&mut self, kind: Kind, name: &str, people: &Links) -> Result<(), Error> {
        match kind {
            Kind::Profile => {
                rows::unassign_all(self.connection, self.revision, name)?;
                for person in &people.listed {
                    self.record(ChangeRecord::ASSIGNMENTS, format!("{name}/{}", person.name), How::Deleted);
                }
            }
            Kind::SecurityRole => {
                // For people that this change set writes, the new state counts.
                for (_, user) in &mut self.users {
                    user.roles.retain(|role| role.as_str() != name);
                }
                self.take_role(name)?;
                for person in &people.listed {
                    self.record(Kind::User.collection(), &*person.name, How::Updated);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes a role from all people who hold it, a thousand at a time.
    fn take_role(&self, role: &str) -> Result<(), Error> {
        const AT_ONCE: usize = 1_000;
        let mut after = String::new();
        loop {
            let logins = people::holders(self.connection, role, &after, AT_ONCE)?;
            for login in &logins {
                if let Some((mut user, _)) = people::current_user(self.connection, login)? {
                    user.roles.retain(|held| held.as_str() != role);
                    rows::begin(self.connection, self.revision, login, Layer::Custom, &user.into())?;
                }
            }
            match logins.into_iter().next_back() {
                Some(last) => after = last,
                None => return Ok(()),
            }
        }
    }

    /// Returns whether an item breaks a rule that it did not break before the change set.
    pub(super) fn is_new(&self, finding: &Finding) -> bool {
        let Finding { kind, name, problem, .. } = finding;
        let broken = |library| checks::broken_at(library, *kind, name, &problem.attribute);
        broken(&self.library) > broken(self.before)
    }

    /// Records a change.
    pub(super) fn record(&mut self, collection: &str, name: impl Into<String>, how: How) {
        self.changed.push(Changed { collection: collection.to_owned(), name: name.into(), how });
    }
}
