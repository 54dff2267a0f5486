//! Writing: a change set becomes one revision, or nothing at all.

use std::collections::BTreeSet;
use std::sync::Arc;

use rusqlite::{Connection, TransactionBehavior, params};

use crate::domain::name::check_authored_name;
use crate::domain::revision::{Author, ChangeRecord};
use crate::domain::{
    AnyItem, InvalidItem, Item, Kind, Name, Problem, Problems, Profile, Revision, SecondAssignment, User,
};

use super::checks::{self, Finding};
use super::{
    Change, ChangeSet, Changed, Committed, Entry, Error, Expect, How, Layer, MissingReference, Referrer, Replaced,
    Snapshot, Store, Strictness, Tolerated, lock, people, rows, unlink,
};

impl Store {
    /// Carries out `changes` as one revision by `author`, all or none.
    ///
    /// Changes that change nothing make no revision. References are checked against the outcome, so the items of one
    /// change set may name each other in any order.
    pub fn commit(&self, changes: ChangeSet, author: &Author) -> Result<Committed, Error> {
        self.attempt(changes, author, true)
    }

    /// What [`Store::commit`] would do, without doing it.
    pub fn rehearse(&self, changes: ChangeSet, author: &Author) -> Result<Committed, Error> {
        self.attempt(changes, author, false)
    }

    fn attempt(&self, changes: ChangeSet, author: &Author, keep: bool) -> Result<Committed, Error> {
        let mut writer = lock(&self.writer);
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let base = rows::newest(&transaction)?;
        let known = self.newest.load_full();
        let library = if known.revision() == base { known } else { Arc::new(rows::load(&transaction, base)?) };

        let mut draft = Draft::new(&transaction, &library, &changes);
        for change in changes.changes {
            draft.apply(change)?;
        }
        draft.settle()?;
        let Draft { library, changed, replaced, tolerated, revision, .. } = draft;
        if changed.is_empty() {
            return Ok(Committed { revision: base, changed, replaced, tolerated });
        }
        if !keep {
            return Ok(Committed { revision, changed, replaced, tolerated });
        }
        transaction
            .prepare_cached("INSERT INTO revision (id, at, who, why) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![revision.0, jiff::Timestamp::now().to_string(), author.who, author.why])?;
        transaction.commit()?;
        self.publish(&Arc::new(library.at_revision(revision)));
        Ok(Committed { revision, changed, replaced, tolerated })
    }
}

/// A change set on its way to a revision.
struct Draft<'a> {
    connection: &'a Connection,
    before: &'a Snapshot,
    library: Snapshot,
    revision: Revision,
    strictness: Strictness,
    layer: Layer,
    touched: BTreeSet<(Kind, Arc<str>)>,
    users: Vec<(Arc<str>, User)>,
    changed: Vec<Changed>,
    replaced: Vec<Replaced>,
    tolerated: Vec<Tolerated>,
}

impl<'a> Draft<'a> {
    fn new(connection: &'a Connection, before: &'a Snapshot, changes: &ChangeSet) -> Self {
        Self {
            connection,
            before,
            library: before.clone(),
            revision: Revision(before.revision().0 + 1),
            strictness: changes.strictness,
            layer: changes.layer.unwrap_or(Layer::Custom),
            touched: BTreeSet::new(),
            users: Vec::new(),
            changed: Vec::new(),
            replaced: Vec::new(),
            tolerated: Vec::new(),
        }
    }

    fn apply(&mut self, change: Change) -> Result<(), Error> {
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
        if present.is_none() && self.layer == Layer::Custom {
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
                self.library.insert(Arc::clone(&name), Entry::new(item, self.revision, self.layer));
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
        let referrers = self.referrers(kind, name)?;
        if !referrers.is_empty() && !force {
            return Err(Error::InUse { kind, name: name.to_string(), referrers });
        }
        for referrer in referrers {
            self.unlink(kind, name, &referrer)?;
        }
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
        }
        rows::end(self.connection, self.revision, Kind::User, login)?;
        self.record(Kind::User.collection(), login, How::Deleted);
        Ok(())
    }

    /// Takes one link to an item away (ruling 8.5).
    fn unlink(&mut self, kind: Kind, name: &str, referrer: &Referrer) -> Result<(), Error> {
        if referrer.collection == ChangeRecord::ASSIGNMENTS {
            rows::unassign(self.connection, self.revision, &referrer.name, name)?;
            self.record(ChangeRecord::ASSIGNMENTS, format!("{name}/{}", referrer.name), How::Deleted);
            return Ok(());
        }
        let referring: Kind = referrer.collection.parse().map_err(|error| Error::Corrupt(Box::new(error)))?;
        if referring == Kind::User {
            if let Some((mut user, _)) = people::current_user(self.connection, &referrer.name)? {
                user.roles.retain(|role| role.as_str() != name);
                self.users.push((referrer.name.as_str().into(), user));
            }
            return Ok(());
        }
        self.writable(referring, &referrer.name)?;
        let key: Arc<str> = referrer.name.as_str().into();
        let rest = self.library.entry(referring, &key).and_then(|entry| unlink::without(&entry.item, &key, kind, name));
        match rest {
            Some(item) => self.library.insert(Arc::clone(&key), Entry::new(item, self.revision, self.layer)),
            None => self.library.remove(referring, &key),
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
            return Err(Error::NotFound { kind: Kind::User, name: login.to_string() });
        }
        // Read at the revision being made, so that earlier changes of this set count.
        let assigned = people::assigned_profiles(self.connection, login.as_str(), self.revision)?;
        if assigned.contains(profile) {
            return Ok(());
        }
        for earlier in assigned {
            let overlaps = self
                .library
                .get(&earlier)
                .is_none_or(|other| apps.is_empty() || other.apps.is_empty() || !other.apps.is_disjoint(&apps));
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

    /// Refuses what the author did not expect; the revision that wrote the item, if there is one.
    fn expect(&self, kind: Kind, name: &str, expect: Expect) -> Result<Option<Revision>, Error> {
        let present = match kind {
            Kind::User => people::current_user(self.connection, name)?.map(|(_, since)| since),
            _ => self.library.entry(kind, name).map(|entry| entry.revision),
        };
        let name = || name.to_owned();
        match (expect, present) {
            (Expect::Present | Expect::Revision(_), None) => Err(Error::NotFound { kind, name: name() }),
            (Expect::Absent, Some(_)) => Err(Error::Exists { kind, name: name() }),
            (Expect::Revision(seen), Some(current)) if seen != current => {
                Err(Error::Stale { kind, name: name(), seen, current })
            }
            _ => Ok(present),
        }
    }

    fn writable(&self, kind: Kind, name: &str) -> Result<(), Error> {
        let shipped = self.library.entry(kind, name).is_some_and(|entry| entry.layer == Layer::OutOfTheBox);
        if shipped && self.layer == Layer::Custom {
            return Err(Error::ReadOnly { kind, name: name.to_owned() });
        }
        Ok(())
    }

    /// Who uses an item: library items, then people.
    fn referrers(&self, kind: Kind, name: &str) -> Result<Vec<Referrer>, Error> {
        const LISTED: usize = 100_000;
        let people = match kind {
            Kind::Profile => people::assigned_logins(self.connection, name, "", LISTED)?,
            Kind::SecurityRole => people::holders(self.connection, name, LISTED)?,
            _ => Vec::new(),
        };
        let collection = if kind == Kind::Profile { ChangeRecord::ASSIGNMENTS } else { Kind::User.collection() };
        let mut referrers = checks::referrers(&self.library, kind, name);
        referrers.extend(people.into_iter().map(|login| Referrer { collection: collection.to_owned(), name: login }));
        Ok(referrers)
    }

    /// Spells every reference canonically, checks what was touched and what depends on it, and writes the rows.
    fn settle(&mut self) -> Result<(), Error> {
        self.flush_users()?;
        let mut missing = Vec::new();
        for (kind, name) in self.touched.clone() {
            if let Some(entry) = self.library.entry(kind, &name) {
                let item = self.canonical(entry.item.clone(), &name, &mut missing);
                self.library.insert(name, Entry::new(item, self.revision, self.layer));
            }
        }
        if !missing.is_empty() {
            return Err(Error::MissingReferences(missing));
        }
        for finding in checks::check(&self.library, &self.touched) {
            self.weigh(finding)?;
        }
        for (kind, name) in std::mem::take(&mut self.touched) {
            self.write(kind, &name)?;
        }
        Ok(())
    }

    fn canonical(&self, mut item: AnyItem, name: &str, missing: &mut Vec<MissingReference>) -> AnyItem {
        let collection = item.kind().collection();
        item.references(&mut |reference| match self.library.canonical(reference.kind, reference.name) {
            Some(canonical) => *reference.name = canonical,
            None => missing.push(MissingReference {
                collection: collection.to_owned(),
                name: name.to_owned(),
                attribute: reference.attribute.to_owned(),
                wanted_in: reference.kind.collection().to_owned(),
                wanted: reference.name.to_string(),
            }),
        });
        item
    }

    /// Decides whether a finding ends the change set or goes into the report.
    fn weigh(&mut self, finding: Finding) -> Result<(), Error> {
        let Finding { kind, name, problem, refusal } = finding;
        if problem.tolerable && self.strictness == Strictness::Report {
            self.tolerated.push(Tolerated { kind, name: name.to_string(), problem });
            return Ok(());
        }
        Err(refusal
            .unwrap_or_else(|| InvalidItem { kind, name: name.to_string(), problems: Problems(vec![problem]) }.into()))
    }

    fn write(&mut self, kind: Kind, name: &str) -> Result<(), Error> {
        let before = self.before.entry(kind, name);
        let how = match (before, self.library.entry(kind, name)) {
            (Some(before), Some(after)) if before.json() == after.json() && before.layer == after.layer => {
                // Nothing changed, so the item keeps the revision that wrote it.
                let unchanged = Entry::new(before.item.clone(), before.revision, before.layer);
                self.library.insert(name.into(), unchanged);
                return Ok(());
            }
            (None, None) => return Ok(()),
            (Some(_), None) => {
                rows::end(self.connection, self.revision, kind, name)?;
                How::Deleted
            }
            (before, Some(after)) => {
                rows::begin(self.connection, self.revision, name, after.layer, &after.item)?;
                if before.is_some() { How::Updated } else { How::Created }
            }
        };
        self.record(kind.collection(), name, how);
        Ok(())
    }

    /// Writes the people put so far: assignments look for them in the database.
    fn flush_users(&mut self) -> Result<(), Error> {
        let mut missing = Vec::new();
        for (login, user) in std::mem::take(&mut self.users) {
            let item = self.canonical(user.into(), &login, &mut missing);
            let mut problems = Problems::default();
            item.check(&mut problems);
            if let Some(problem) = problems.0.into_iter().next() {
                self.weigh(Finding { kind: Kind::User, name: Arc::clone(&login), problem, refusal: None })?;
            }
            let before = people::current_user(self.connection, &login)?;
            let how = match before {
                Some((before, _)) if User::from_any(&item) == Some(&before) => continue,
                Some(_) => How::Updated,
                None => How::Created,
            };
            rows::begin(self.connection, self.revision, &login, Layer::Custom, &item)?;
            self.record(Kind::User.collection(), login.to_string(), how);
        }
        if missing.is_empty() { Ok(()) } else { Err(Error::MissingReferences(missing)) }
    }

    fn record(&mut self, collection: &str, name: impl Into<String>, how: How) {
        self.changed.push(Changed { collection: collection.to_owned(), name: name.into(), how });
    }
}

#[cfg(test)]
mod tests;
