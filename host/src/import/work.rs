//! Collects the plan: the items to be written, and the targets of names.
//!
//! Three rules hold for every planned item. Shipped items are never written. An item that breaks a rule that allows no
//! exception is quarantined with its parts and links, so that it cannot keep the rest from being written. An item that
//! is the same here already is not written again.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::excerpt::{PLACE_MAX, excerpt};
use crate::domain::name::{check_name, check_new_name};
use crate::domain::{AnyItem, InvalidName, Item, Kind, Name, Problem, Problems, bounds};
use crate::store::{Authority, Change, ChangeSet, Expect, Layer, Snapshot, Strictness};

use super::By;
use super::customizations::Ends;
use super::made::Made;
use super::report::{Component, Link, LinkOutcome, Outcome, Report, Verdict, Verdicts};
use super::row::Row;
use super::solution::Solution;
use super::unreadable::Unreadable;

/// The plan while it is collected.
pub(super) struct Work<'a> {
    /// The environment as it is. Planned items are compared with it.
    pub(super) base: &'a Snapshot,
    /// The items to which the archive may refer: the whole environment, or only the shipped content if the archive is
    /// complete.
    pub(super) here: &'a Snapshot,
    /// Whether the archive is complete, so that nothing of the existing items is kept.
    pub(super) whole: bool,
    pub(super) solution: &'a Solution,
    /// The names of roles by GUID, for the roles in the solution.
    pub(super) roles: &'a BTreeMap<String, String>,
    pub(super) report: Report,
    /// Out-of-the-box items as they would be after an upgrade.
    pub(super) kept: Vec<(Arc<str>, AnyItem)>,
    /// The budget for copies of rows that become part of several items.
    pub(super) copied: Made,
    by: By,
    /// The budget for planned items.
    made: Made,
    planned: BTreeMap<(Kind, Arc<str>), Planned>,
    verdicts: Verdicts,
}

struct Planned {
    item: AnyItem,
    is_new: bool,
    /// The size of the item as JSON.
    bytes: usize,
    /// The account that holds the outcome of the item.
    component: usize,
}

/// Items of one kind that are collected part by part before they are planned.
pub(super) struct Drafts<T>(BTreeMap<Arc<str>, Draft<T>>);

struct Draft<T> {
    item: T,
    /// The row that makes the item; `None` if the item was opened to add parts.
    component: Option<usize>,
}

impl<'a> Work<'a> {
    /// Starts a plan for the environment `base` that makes at most `made_max` bytes. A complete archive refers to
    /// `shipped` instead.
    pub(super) fn new(
        base: &'a Snapshot,
        shipped: Option<&'a Snapshot>,
        solution: &'a Solution,
        roles: &'a BTreeMap<String, String>,
        by: By,
        made_max: usize,
    ) -> Self {
        let report = Report { solution: solution.summary.clone(), ..Report::default() };
        let (here, whole) = (shipped.unwrap_or(base), shipped.is_some());
        Self {
            base,
            here,
            whole,
            solution,
            roles,
            report,
            kept: Vec::new(),
            copied: Made::new(made_max),
            by,
            made: Made::new(made_max),
            planned: BTreeMap::new(),
            verdicts: Verdicts::new(),
        }
    }

    /// Whether the product ships this item.
    pub(super) fn is_shipped(&self, kind: Kind, name: &str) -> bool {
        self.base.entry(kind, name).is_some_and(|entry| entry.layer == Layer::OutOfTheBox)
    }

    /// The item to which a name leads: a planned one, or one that exists here.
    pub(super) fn resolve<T: Item>(&self, name: &str) -> Option<Name<T>> {
        let planned = self.planned.contains_key(&(T::KIND, Arc::from(name)));
        let found = if planned { Arc::from(name) } else { self.here.canonical(T::KIND, name)? };
        found.parse().ok()
    }

    /// The custom item that exists here, if there is one.
    pub(super) fn existing<T: Item>(&self, name: &str) -> Option<&'a T> {
        T::from_any(self.existing_any(T::KIND, name)?)
    }

    /// The custom item of any kind that exists here, if there is one.
    pub(super) fn existing_any(&self, kind: Kind, name: &str) -> Option<&'a AnyItem> {
        Some(&self.here.entry(kind, name).filter(|entry| entry.layer == Layer::Custom)?.item)
    }

    /// The item that is planned under a name.
    pub(super) fn planned_any(&self, kind: Kind, name: &str) -> Option<&AnyItem> {
        self.planned.get(&(kind, Arc::from(name))).map(|planned| &planned.item)
    }

    /// The names of all planned items, in dependency order.
    pub(super) fn planned_names(&self) -> Vec<(Kind, Arc<str>)> {
        self.planned.keys().cloned().collect()
    }

    /// The account with the outcome of a planned item.
    pub(super) fn component_of(&self, kind: Kind, name: &str) -> Option<usize> {
        self.planned.get(&(kind, Arc::from(name))).map(|planned| planned.component)
    }

    /// All planned items of `T`.
    pub(super) fn planned<T: Item>(&self) -> impl Iterator<Item = (&str, &T)> {
        self.planned.iter().filter_map(|((_, name), planned)| Some((name.as_ref(), T::from_any(&planned.item)?)))
    }

    /// Opens the account of a row. From then on the row is in the report, whatever its outcome.
    pub(super) fn component(&mut self, table: &str, source_name: &str) -> usize {
        self.report.components.push(Component {
            table: table.to_owned(),
            source_name: excerpt(source_name, PLACE_MAX).into_owned(),
            collection: None,
            name: None,
            outcome: Outcome::Skipped,
            notes: Vec::new(),
        });
        self.report.components.len() - 1
    }

    /// Reads a row and opens its account. A row that cannot be read is quarantined.
    pub(super) fn read<T>(
        &mut self,
        mut row: Row,
        read: impl FnOnce(&mut Row) -> Result<T, Unreadable>,
    ) -> Option<(usize, Row, T)> {
        let read = read(&mut row);
        let component = self.account(&row);
        match read {
            Ok(value) => Some((component, row, value)),
            Err(reason) => {
                self.quarantine(component, &reason);
                None
            }
        }
    }

    /// Opens the account of a row, and warns of stray characters.
    fn account(&mut self, row: &Row) -> usize {
        for column in &row.stray {
            self.warn_of_stray(&format!("{}/{}", row.table, row.name), &format!("`{column}`"));
        }
        self.component(&row.table, &row.name)
    }

    /// Warns of characters that are most likely slips (P14). They are kept.
    pub(super) fn warn_of_stray(&mut self, place: &str, texts: &str) {
        let message = format!(
            "{texts} has a blank at an end, a carriage return, or a line break within a slug; it is kept, and may be a slip"
        );
        self.report.warn("stray-characters", place, message);
    }

    pub(super) fn note(&mut self, component: usize, note: impl Into<String>) {
        self.report.components[component].note(note);
    }

    /// Closes an account: the row is left out.
    pub(super) fn skip(&mut self, component: usize, reason: impl Into<String>) {
        self.report.components[component].outcome = Outcome::Skipped;
        self.note(component, reason);
    }

    /// Closes an account: the row cannot be read, or breaks a rule.
    pub(super) fn quarantine(&mut self, component: usize, reason: &Unreadable) {
        self.report.components[component].outcome = Outcome::Quarantined;
        self.note(component, reason.0.clone());
    }

    /// Closes an account: the row is a part of an item.
    pub(super) fn merge(&mut self, component: usize, kind: Kind, name: &str) {
        let component = &mut self.report.components[component];
        component.outcome = Outcome::Merged;
        component.collection = Some(kind.collection().to_owned());
        component.name = Some(name.to_owned());
    }

    /// Closes an account as [`Work::merge`] does. If the row is a part of another item already, it is copied.
    pub(super) fn merge_or_copy(&mut self, component: usize, kind: Kind, name: &str) {
        if self.report.components[component].outcome == Outcome::Merged {
            self.note(component, format!("copied into `{name}`, too"));
        } else {
            self.merge(component, kind, name);
        }
    }

    /// Accounts for a link that the item `name` holds.
    pub(super) fn link(&mut self, link: &Ends, kind: Kind, name: &str) {
        self.push_link(link, Some((kind, name)), LinkOutcome::Linked, None);
    }

    /// Accounts for a link that is not made.
    pub(super) fn leave_out(&mut self, link: &Ends, reason: String) {
        self.push_link(link, None, LinkOutcome::LeftOut, Some(reason));
    }

    fn push_link(&mut self, link: &Ends, of: Option<(Kind, &str)>, outcome: LinkOutcome, reason: Option<String>) {
        self.report.links.push(Link {
            table: link.table.clone(),
            ends: link.ends.iter().map(|(column, name)| format!("{column}={name}")).collect(),
            collection: of.map(|(kind, _)| kind.collection().to_owned()),
            name: of.map(|(_, name)| name.to_owned()),
            outcome,
            reason,
        });
    }

    /// Why no part can be added to the item `name`, and no link.
    pub(super) fn why_not(&self, kind: Kind, name: &str) -> String {
        if self.is_shipped(kind, name) {
            format!("`{name}` is shipped with the product and is not changed: copy it and change the copy")
        } else {
            format!(
                "there is no `{name}` here, and no readable one in the archive: import {} of that name first",
                kind.with_article()
            )
        }
    }

    /// Plans to write an item. `component` is the account that holds its outcome.
    pub(super) fn put<T: Item + Into<AnyItem>>(&mut self, component: usize, name: &str, item: T) {
        self.put_any(component, name, item.into());
    }

    /// Plans to write an item of any kind. The first account of an item holds its outcome; any later one adds notes.
    pub(super) fn put_any(&mut self, component: usize, name: &str, item: AnyItem) {
        let kind = item.kind();
        // The outcome of the item settles a merged account.
        self.merge(component, kind, name);
        if self.is_shipped(kind, name) {
            let reason = "shipped with the product and not changed: copy it and change the copy";
            return self.withdraw(kind, name, Outcome::Skipped, reason);
        }
        if let Err(error) = self.check_name(kind, name) {
            return self.withdraw(kind, name, Outcome::Quarantined, &error.to_string());
        }
        let mut problems = Problems::default();
        item.check(&mut problems);
        problems.0.extend(self.beyond(name, &item));
        if let Some(problem) = problems.0.iter().find(|problem| !problem.tolerable) {
            return self.withdraw(kind, name, Outcome::Quarantined, &problem.to_string());
        }
        for problem in &problems.0 {
            self.note(component, problem.to_string());
        }
        let json = item.to_json();
        let outcome = match self.base.entry(kind, name) {
            Some(entry) if entry.item.to_json() == json => Outcome::Unchanged,
            Some(_) => Outcome::Updated,
            None => Outcome::Created,
        };
        let component = self.component_of(kind, name).unwrap_or(component);
        let bytes = json.to_string().len();
        self.forget(kind, name);
        if let Err(reason) = self.made.take(bytes) {
            return self.withdraw(kind, name, Outcome::Quarantined, &reason.0);
        }
        self.report.components[component].outcome = outcome;
        let verdict = (kind.collection().to_owned(), name.to_owned());
        match outcome {
            Outcome::Unchanged => self.verdicts.insert(verdict, Verdict::Unchanged),
            _ => self.verdicts.remove(&verdict),
        };
        let is_new = outcome != Outcome::Unchanged;
        self.planned.insert((kind, Arc::from(name)), Planned { item, is_new, bytes, component });
    }

    /// Refuses an invalid name. Only a name that exists here already may have invisible characters.
    fn check_name(&self, kind: Kind, name: &str) -> Result<(), InvalidName> {
        let is_new = self.by == By::Caller && self.base.entry(kind, name).is_none() && kind != Kind::RankAndRoles;
        if is_new { check_new_name(kind, name) } else { check_name(kind, name) }
    }

    /// The bounds that an item breaks.
    fn beyond(&self, name: &str, item: &AnyItem) -> Vec<Problem> {
        match self.by {
            By::Caller => bounds::check(item, self.base.entry(item.kind(), name).map(|entry| &entry.item)),
            By::Export => Vec::new(),
        }
    }

    /// Refuses to keep columns of `bytes` bytes in an item, if these are too many.
    pub(super) fn may_keep(&self, bytes: usize) -> Result<(), Unreadable> {
        let max = bounds::KEPT_BYTES_MAX;
        if self.by == By::Export || bytes <= max {
            return Ok(());
        }
        let reason = format!("the columns of it that are kept have {bytes} bytes, {max} are the most: leave some out");
        Err(Unreadable(reason))
    }

    /// Removes an item from the plan, if it is planned.
    fn forget(&mut self, kind: Kind, name: &str) {
        if let Some(planned) = self.planned.remove(&(kind, Arc::from(name))) {
            self.made.give_back(planned.bytes);
        }
    }

    /// Records an out-of-the-box item as it would be after an upgrade, and skips it.
    pub(super) fn keep(&mut self, component: usize, name: &str, item: AnyItem) {
        let kind = item.kind();
        self.merge(component, kind, name);
        let beyond = self.beyond(name, &item).into_iter().find(|problem| !problem.tolerable);
        let refused = beyond.map(|problem| Unreadable(problem.to_string()));
        if let Some(reason) = refused.or_else(|| self.made.take(item.to_json().to_string().len()).err()) {
            return self.quarantine(component, &reason);
        }
        self.skip(component, "it came with the product: `loadout upgrade` brings its kept values along");
        self.kept.push((Arc::from(name), item));
    }

    /// Leaves an item out, together with its parts and links.
    pub(super) fn withdraw(&mut self, kind: Kind, name: &str, outcome: Outcome, reason: &str) {
        self.forget(kind, name);
        let verdict = Verdict::Withdrawn { outcome, reason: reason.to_owned() };
        self.verdicts.insert((kind.collection().to_owned(), name.to_owned()), verdict);
    }

    /// Ends the work. Changes are in dependency order, and each expects the state in the base.
    pub(super) fn finish(mut self) -> (ChangeSet, Report) {
        self.report.apply(&self.verdicts);
        let order = |kind: Kind| Kind::ALL.iter().position(|known| *known == kind);
        let mut planned: Vec<_> = self.planned.into_iter().filter(|(_, planned)| planned.is_new).collect();
        planned.sort_by_key(|((kind, _), _)| order(*kind));
        let changes = planned.into_iter().map(|((kind, name), planned)| {
            let here = self.base.entry(kind, &name);
            let expect = here.map_or(Expect::Absent, |entry| Expect::Revision(entry.revision));
            Change::Put { name, item: planned.item, expect }
        });
        let changes = ChangeSet {
            changes: changes.collect(),
            strictness: Strictness::Report,
            authority: Authority::Custom,
            ..ChangeSet::default()
        };
        (changes, self.report)
    }
}

impl<T: Item + Into<AnyItem>> Drafts<T> {
    pub(super) fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Begins an item from its row.
    pub(super) fn begin(&mut self, component: usize, name: &str, item: T) {
        self.0.insert(Arc::from(name), Draft { item, component: Some(component) });
    }

    /// The item `name`, to add parts to it: one that the archive makes, or an existing custom one.
    pub(super) fn open(&mut self, work: &Work<'_>, name: &str) -> Option<&mut T> {
        if !self.0.contains_key(name) {
            let item = work.existing::<T>(name)?.clone();
            self.0.insert(Arc::from(name), Draft { item, component: None });
        }
        self.0.get_mut(name).map(|draft| &mut draft.item)
    }

    /// The items, with their names.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (&Arc<str>, &mut T)> {
        self.0.iter_mut().map(|(name, draft)| (name, &mut draft.item))
    }

    /// Plans to write all items. `table` is the table of their rows.
    pub(super) fn put(self, work: &mut Work<'_>, table: &str) {
        for (name, Draft { item, component }) in self.0 {
            let component = component.unwrap_or_else(|| {
                let component = work.component(table, &name);
                work.note(component, "is here already; the archive has parts of it only");
                component
            });
            work.put(component, &name, item);
        }
    }
}
