//! Settles a draft: spells references canonically, checks rules, writes rows.

use std::sync::Arc;

use crate::domain::{AnyItem, InvalidItem, Item, Kind, Problems, User};

use super::checks;
use super::checks::Finding;
use super::draft::Draft;
use super::{Authority, Entry, Error, How, Layer, MissingReference, Strictness, Tolerated, bounds, people, rows};

impl Draft<'_> {
    /// Spells every reference canonically, checks the touched items and those that depend on them, and writes the rows.
    pub(super) fn settle(&mut self) -> Result<(), Error> {
        self.flush_users()?;
        let mut missing = Vec::new();
        for (kind, name) in self.touched.clone() {
            if let Some(entry) = self.library.entry(kind, &name) {
                let item = self.canonical(entry.item.clone(), &name, &mut missing);
                let layer = self.layer_of(kind, &name);
                self.library.insert(name, Entry::new(item, self.revision, layer));
            }
        }
        if !missing.is_empty() {
            return Err(Error::MissingReferences(missing));
        }
        if self.authority != Authority::Product {
            bounds::library(self.before, &self.library)?;
        }
        for finding in checks::check(&self.library, &self.touched) {
            // A tolerable problem that existed before counts only if the author wrote the item.
            let authored = self.authored.contains(&(finding.kind, Arc::clone(&finding.name)));
            if authored || !finding.problem.tolerable || self.is_new(&finding) {
                self.weigh(finding)?;
            }
        }
        self.keep_one_profile_each()?;
        for (kind, name) in std::mem::take(&mut self.touched) {
            self.write(kind, &name)?;
        }
        Ok(())
    }

    /// Returns the item with its references spelt canonically. Adds references to missing items to `missing`, up to the
    /// most that are listed.
    fn canonical(&self, mut item: AnyItem, name: &str, missing: &mut Vec<MissingReference>) -> AnyItem {
        let collection = item.kind().collection();
        item.references(&mut |reference| {
            if missing.len() >= MissingReference::LISTED_MAX {
                return;
            }
            match self.library.canonical(reference.kind, reference.name) {
                Some(canonical) => *reference.name = canonical,
                None => missing.push(MissingReference {
                    collection: collection.to_owned(),
                    name: name.to_owned(),
                    attribute: reference.attribute.to_owned(),
                    wanted_in: reference.kind.collection().to_owned(),
                    wanted: reference.name.to_string(),
                }),
            }
        });
        item
    }

    /// Refuses the change set because of a finding, or adds the finding to the report.
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
                // The item did not change, so it keeps the revision that wrote it.
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

    /// Writes the people that were put so far, because assignments look them up in the database.
    pub(super) fn flush_users(&mut self) -> Result<(), Error> {
        let mut missing = Vec::new();
        for (login, user) in std::mem::take(&mut self.users) {
            let item = self.canonical(user.into(), &login, &mut missing);
            let mut problems = Problems::default();
            item.check(&mut problems);
            if let Some(problem) = problems.0.into_iter().next() {
                self.weigh(Finding { kind: Kind::User, name: Arc::clone(&login), problem, refusal: None })?;
            }
            let before = people::current_user(self.connection, &login)?;
            let known = before.as_ref().map(|(before, _)| AnyItem::from(before.clone()));
            self.tolerated.extend(bounds::one(&login, &item, known.as_ref(), self.strictness)?);
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
}
