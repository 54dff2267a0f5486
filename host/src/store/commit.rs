//! Writing: a change set becomes one revision, or nothing at all.

use std::sync::Arc;

use rusqlite::{Connection, TransactionBehavior, params};

use crate::domain::revision::Author;

use super::draft::Draft;
use super::{ChangeSet, Committed, Error, Store, lock, rows};

/// What else is written with a revision, whatever changed.
pub(super) type Finish<'a> = &'a dyn Fn(&Connection, &Committed) -> Result<(), Error>;

impl Store {
    /// Carries out `changes` as one revision by `author`, all or none.
    ///
    /// Changes that change nothing make no revision. References are checked against the outcome, so the items of one
    /// change set may name each other in any order.
    pub fn commit(&self, changes: ChangeSet, author: &Author) -> Result<Committed, Error> {
        self.attempt(changes, author, Some(&|_, _| Ok(())))
    }

    /// What [`Store::commit`] would do, without doing it.
    pub fn rehearse(&self, changes: ChangeSet, author: &Author) -> Result<Committed, Error> {
        self.attempt(changes, author, None)
    }

    /// Carries out `changes` if there is a way to `finish`: what else is written, whatever changed, in the same transaction.
    pub(super) fn attempt(
        &self,
        changes: ChangeSet,
        author: &Author,
        finish: Option<Finish<'_>>,
    ) -> Result<Committed, Error> {
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
        let Draft { library, changed, replaced, unlinked, tolerated, revision, .. } = draft;
        let nothing_new = changed.is_empty();
        let made = if nothing_new { base } else { revision };
        let committed = Committed { revision: made, changed, replaced, unlinked, tolerated };
        let Some(finish) = finish else { return Ok(committed) };
        if !nothing_new {
            transaction
                .prepare_cached("INSERT INTO revision (id, at, who, why) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![revision.0, jiff::Timestamp::now().to_string(), author.who, author.why])?;
        }
        finish(&transaction, &committed)?;
        transaction.commit()?;
        if !nothing_new {
            self.publish(&Arc::new(library.at_revision(revision)));
        }
        Ok(committed)
    }
}

#[cfg(test)]
mod tests;
