//! Turns the proposals of a step into items: gives valid names, resolves references, and accounts for every row.
//!
//! Runs for all proposals of a step at once, after its last page: only then are all names known. Depends only on the
//! journal and the library before the step, so a repetition has the same result.

use std::sync::Arc;

use crate::domain::source::guid;
use crate::domain::{AnyItem, Kind};
use crate::store::Snapshot;
use crate::store::journal::{Account, Note, Outcome, Piece, Proposal, StagedItem};

use super::Error;
use super::answer::{fault, proposable};
use super::meaning::{Meanings, label_beside};
use super::names::{ByLabel, BySource, suited, told_apart};
use super::realise::{Realised, Unrealised, realise};
use super::step::StepInfo;

/// The number of proposals that are read at a time.
const CHUNK: usize = 200;

/// The settling of one step.
pub(super) struct Settling<'a> {
    pub(super) step: &'a StepInfo,
    /// The step's place in the order.
    pub(super) index: usize,
    /// The library before the step.
    pub(super) library: &'a Snapshot,
    /// The names of the library's items, by the IDs of the rows they came from.
    pub(super) by_source: &'a BySource,
    /// The names of the library's items, by their labels.
    pub(super) by_label: &'a ByLabel,
    /// The prefix for names that have none.
    pub(super) prefix: &'a str,
}

impl Settling<'_> {
    /// Settles all proposals of the step.
    pub(super) fn settle(&self, piece: &Piece<'_>) -> Result<(), Error> {
        self.each(piece, &mut |proposal, kind| {
            let name = self.name(piece, &proposal, kind)?;
            Ok(piece.name_proposal(&proposal, &name)?)
        })?;
        // A reference to a quarantined item does not resolve: repeat until no more items are quarantined.
        loop {
            let mut forgotten = 0;
            self.each(piece, &mut |proposal, kind| {
                let name = proposal.name.as_deref().unwrap_or(&proposal.proposed).to_owned();
                if let Err(Unrealised::Quarantine(_)) = self.realise(piece, &proposal, kind)?.1 {
                    forgotten += piece.forget_name(&proposal.kind, &name)?;
                }
                Ok(())
            })?;
            if forgotten == 0 {
                break;
            }
        }
        self.each(piece, &mut |proposal, kind| self.become_one(piece, &proposal, kind))
    }

    fn each(&self, piece: &Piece<'_>, work: &mut dyn FnMut(Proposal, Kind) -> Result<(), Error>) -> Result<(), Error> {
        let mut after = 0;
        loop {
            let proposals = piece.proposals(self.index, after, CHUNK)?;
            let Some(last) = proposals.last() else { return Ok(()) };
            after = last.ordinal;
            for proposal in proposals {
                // Answers with other kinds were refused before.
                if let Some(kind) = proposable(&proposal.kind) {
                    work(proposal, kind)?;
                }
            }
        }
    }

    /// The name of a proposal's item here.
    fn name(&self, piece: &Piece<'_>, proposal: &Proposal, kind: Kind) -> Result<String, Error> {
        if proposal.merges
            && let Some(here) = self.library.canonical(kind, &proposal.proposed)
        {
            return Ok(here.to_string());
        }
        let row = proposal.sources.first().map_or("", |row| row.id.as_str());
        let wanted = suited(kind, &proposal.proposed, self.prefix);
        // An earlier upgrade may have made the item under a name that was free then.
        let before = guid(row).and_then(|id| self.by_source.get(&(kind, id)).cloned());
        let made_up = wanted != proposal.proposed;
        let mut name = before.clone().filter(|_| made_up).unwrap_or_else(|| wanted.clone());
        for attempt in 0.. {
            let taken = piece.taken_by(&proposal.kind, &name)?.is_some_and(|other| other != proposal.ordinal);
            // If the name was made up here, an existing item with it is another item, unless it came from the same row.
            let is_others = made_up && before.as_ref() != Some(&name) && self.library.entry(kind, &name).is_some();
            if proposal.merges || !(taken || is_others) {
                break;
            }
            name = told_apart(&wanted, row, attempt);
        }
        if name != proposal.proposed {
            let message = format!("`{}` of `{}` is called `{name}` here", proposal.proposed, proposal.kind);
            self.note(piece, "renamed", &format!("{}/{name}", proposal.kind), message)?;
        }
        Ok(name)
    }

    /// The item that a proposal would become, and whether an item of that name is staged.
    fn realise(
        &self,
        piece: &Piece<'_>,
        proposal: &Proposal,
        kind: Kind,
    ) -> Result<(bool, Result<Realised, Unrealised>), Error> {
        let name = proposal.name.as_deref().unwrap_or(&proposal.proposed);
        let staged = piece.staged(kind, name)?;
        let now = staged.as_ref().or_else(|| self.library.entry(kind, name).map(|entry| &entry.item));
        let Self { library, by_source, by_label, prefix, .. } = *self;
        let meanings = Meanings { library, by_source, by_label, prefix };
        let called = |kind: Kind, alias: &str| {
            let label = || {
                for key in &proposal.sources {
                    let row = piece.row(key)?;
                    if let Some(label) = row.and_then(|row| label_beside(&row, alias)) {
                        return Ok(Some(label));
                    }
                }
                Ok(None)
            };
            meanings.of(kind, alias, &|alias| piece.called(kind.collection(), alias), &label)
        };
        let realised = realise(self.library, &called, (kind, name), now, proposal.merges, &proposal.attributes)?;
        Ok((staged.is_some(), realised))
    }

    fn become_one(&self, piece: &Piece<'_>, proposal: &Proposal, kind: Kind) -> Result<(), Error> {
        let name = proposal.name.as_deref().unwrap_or(&proposal.proposed);
        let (is_staged, became) = self.realise(piece, proposal, kind)?;
        let place = format!("{}/{name}", proposal.kind);
        let item = match became {
            Ok(Realised { item, notes }) => {
                for (code, message) in notes {
                    self.note(piece, code, &place, message)?;
                }
                item
            }
            Err(Unrealised::Quarantine(reason)) => {
                return self.account(
                    piece,
                    proposal,
                    &Account { reason: Some(&reason), ..self.by() },
                    Outcome::Quarantined,
                );
            }
            Err(Unrealised::Invalid(reason)) => {
                return Err(
                    fault(self.step, "step.invalid-proposal", format!("it proposed what cannot be: {reason}")).into()
                );
            }
        };
        let outcome = if self.is_so(kind, name, &item) { Outcome::AlreadyThere } else { Outcome::Migrated };
        if outcome == Outcome::Migrated || is_staged {
            piece.stage(&StagedItem { name: Arc::from(name), item, step: self.step.name.clone() })?;
        }
        let account = Account { kind: Some(&proposal.kind), name: Some(name), ..self.by() };
        self.account(piece, proposal, &account, outcome)
    }

    /// Whether the library has exactly this item already.
    fn is_so(&self, kind: Kind, name: &str, item: &AnyItem) -> bool {
        self.library.entry(kind, name).is_some_and(|here| here.item.to_json() == item.to_json())
    }

    /// Accounts for the rows of a proposal: the first stands for the item, the others are merged into it.
    fn account(
        &self,
        piece: &Piece<'_>,
        proposal: &Proposal,
        account: &Account<'_>,
        outcome: Outcome,
    ) -> Result<(), Error> {
        for (index, row) in proposal.sources.iter().enumerate() {
            let is_part = index > 0 && outcome == Outcome::Migrated;
            piece.account(row, if is_part { Outcome::Merged } else { outcome }, account)?;
        }
        Ok(())
    }

    fn by(&self) -> Account<'_> {
        Account { step: &self.step.name, ..Account::default() }
    }

    fn note(&self, piece: &Piece<'_>, code: &str, place: &str, message: String) -> Result<(), Error> {
        let (step, code, place) = (self.step.name.clone(), code.to_owned(), place.to_owned());
        Ok(piece.note(&Note { step, code, place, message })?)
    }
}
