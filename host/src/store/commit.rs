//! Writing: a change set becomes one revision, or nothing at all.

use std::cell::RefCell;
use std::sync::Arc;

use rusqlite::{Connection, TransactionBehavior, params};

use crate::domain::revision::{Author, ChangeRecord};
use crate::domain::{Kind, Revision};

use super::draft::Draft;
use super::end::End;
use super::{ChangeSet, Committed, Error, Store, bounds, history, lock, outbox, rights, room, rows};

/// The changes that a change set would make.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// The revision that the change set would be made over.
    pub base: Revision,
    /// The outcome of the change set.
    pub committed: Committed,
    /// Every item it would change, by collection and name, before and after.
    pub changes: Vec<ChangeRecord>,
}

impl Store {
    /// Carries out `changes` as one revision by `author`, all or none.
    ///
    /// Changes that change nothing make no revision. References are checked against the outcome, so the items of one
    /// change set may name each other in any order.
    pub fn commit(&self, changes: ChangeSet, author: &Author) -> Result<Committed, Error> {
        self.attempt(changes, author, End::Keep(&|_, _| Ok(())))
    }

    /// Carries out `changes` as [`Store::commit`] does, and returns the outcome without keeping it.
    pub fn rehearse(&self, changes: ChangeSet, author: &Author) -> Result<Committed, Error> {
        self.attempt(changes, author, End::Forget(&|_, _| Ok(())))
    }

    /// Carries out `changes` as [`Store::commit`] does, and returns the outcome item by item without keeping it.
    pub fn preview(&self, changes: ChangeSet, author: &Author) -> Result<Preview, Error> {
        let seen = RefCell::new((Revision::default(), Vec::new()));
        let look = |connection: &Connection, committed: &Committed| {
            let base = rows::newest(connection)?;
            let changed = !committed.changed.is_empty();
            let changes = if changed { history::changes(connection, committed.revision)? } else { Vec::new() };
            seen.replace((base, changes));
            Ok(())
        };
        let committed = self.attempt(changes, author, End::Forget(&look))?;
        let (base, changes) = seen.into_inner();
        Ok(Preview { base, committed, changes })
    }

    /// Carries out `changes`, and ends the transaction as `end` says.
    pub(super) fn attempt(&self, changes: ChangeSet, author: &Author, end: End<'_>) -> Result<Committed, Error> {
        self.carry_out(changes, author, end).map_err(|error| error.in_folder(self.folder()))
    }

    fn carry_out(&self, changes: ChangeSet, author: &Author, end: End<'_>) -> Result<Committed, Error> {
        let beyond = bounds::items(&changes, &self.newest.load())?;
        let _turn = matches!(end, End::Keep(_)).then(|| self.alone());
        let mut writer = lock(&self.writer);
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let base = rows::newest(&transaction)?;
        if let Some(wanted) = changes.base.filter(|wanted| *wanted != base) {
            return Err(Error::Moved { base: wanted, newest: base });
        }
        let known = self.newest.load_full();
        let library = if known.revision() == base { known } else { Arc::new(rows::load(&transaction, base)?) };

        let moved = |of: &Revision| library.entries(Kind::Plugin).any(|(_, entry)| entry.revision > *of);
        if let Some(of) = changes.plugins_of.filter(moved) {
            return Err(Error::Moved { base: of, newest: base });
        }
        let (caller, before, expects) = (changes.caller.clone(), Arc::clone(&library), changes.expects.clone());
        let mut draft = Draft::new(&transaction, &library, &changes);
        draft.tolerated = beyond;
        for change in changes.changes {
            draft.apply(change)?;
        }
        draft.settle()?;
        let Draft { library, changed, replaced, displaced, unlinked, tolerated, revision, .. } = draft;
        let nothing_new = changed.is_empty();
        let made = if nothing_new { base } else { revision };
        let skipped = Vec::new();
        let committed = Committed { revision: made, changed, replaced, displaced, unlinked, tolerated, skipped };
        let decided = rights::decided(&before, &library, &committed.changed);
        rights::check(caller.as_ref(), author, &committed, &expects, &decided)?;
        let also = match end {
            End::Keep(also) => also,
            End::Forget(look) => {
                look(&transaction, &committed)?;
                return Ok(committed);
            }
        };
        if committed.changed.iter().any(|changed| changed.collection != Kind::Plugin.collection()) {
            room::check_for_a_change(self.folder())?;
        }
        if !nothing_new {
            transaction
                .prepare_cached("INSERT INTO revision (id, at, who, why) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![revision.0, jiff::Timestamp::now().to_string(), author.who, author.why])?;
        }
        outbox::forget_deleted(&transaction, &committed.changed)?;
        also(&transaction, &committed)?;
        if !decided.is_empty() {
            // On disk before the revision is, like every line of the audit.
            self.audit()?.write(&rights::entries(decided, author))?;
        }
        transaction.commit()?;
        if !nothing_new {
            self.publish(&Arc::new(library.at_revision(revision)));
        }
        Ok(committed)
    }
}

#[cfg(test)]
mod tests;
