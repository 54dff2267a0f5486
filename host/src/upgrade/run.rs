//! Carries out a run: reads rows, lets steps migrate them page by page, and turns proposals into items.
//!
//! Everything is written to the journal, in pieces. A run that was interrupted goes on where the journal ends, and ends
//! with the same bytes as one that was not: nothing depends on the clock, on the process, or on the place of the
//! interruption. The configuration itself is not changed here.

mod solution;

use std::collections::BTreeSet;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::domain::hex::hexadecimal;
use crate::domain::{Row, RowKey};
use crate::import;
use crate::store::Snapshot;
use crate::store::journal::{Account, Edge, Journal, Note, Outcome, Phase, Piece, Position, Proposal, StagedItem};

use super::Error;
use super::answer::{believe, believe_notes};
use super::materialise::Settling;
use super::names::{by_label, by_source};
use super::pages::{Turned, turn};
use super::prove::{samples, twice_is_once};
use super::reader::{Record, Source};
use super::step::{StepInfo, StepNote, Steps};

/// The most records that are written in one piece.
const RECORDS: usize = 500;
/// The size of a piece in characters; the record that exceeds it is the last.
const CHARACTERS: usize = 4 << 20;
/// The number of pages that a step must migrate twice before it is trusted.
const SAMPLES: usize = 2;
/// The name under which solutions are imported.
pub(super) const IMPORT: &str = "loadout/import";

/// The input of a run.
pub struct Run<'a> {
    /// Runs the steps.
    pub steps: &'a dyn Steps,
    /// The steps that are carried out, in order.
    pub order: &'a [StepInfo],
    /// The configuration before.
    pub base: &'a Arc<Snapshot>,
    /// The old environment.
    pub source: &'a Source,
    /// The prefix for names that have none.
    pub prefix: &'a str,
}

/// The progress of a run, for people.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = UpgradeProgress)]
pub struct Progress {
    /// The phase of the run.
    pub phase: Phase,
    /// The current step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The number of rows that are done.
    pub done: u64,
    /// The number of all rows; absent while they are read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<u64>,
}

/// Is called with the progress; an error stops the run there.
pub type Tell<'a> = &'a dyn Fn(&Progress) -> Result<(), Error>;

/// The outcome of a run.
pub struct Carried {
    /// The items as they will be written, by collection and name.
    pub items: Vec<StagedItem>,
    /// The library with them.
    pub library: Arc<Snapshot>,
    /// A digest of each step's proposals, in order.
    pub digests: Vec<String>,
}

impl Run<'_> {
    /// Carries out the run from where the journal ends. With `trying`, every step first checks its pages and is tested
    /// before it is trusted.
    pub fn carry_out(&self, journal: &mut Journal, trying: bool, tell: Tell<'_>) -> Result<Carried, Error> {
        if journal.position()?.phase == Phase::Reading {
            self.read(journal, tell)?;
        }
        let mut library = self.library(journal)?;
        if trying {
            for step in self.order {
                self.check(journal, step, &library, tell)?;
            }
        }
        loop {
            let Position { phase, step: index, cursor } = journal.position()?;
            let Some(step) = self.order.get(index).filter(|_| phase != Phase::Ready) else { break };
            let samples = if trying { samples(self.steps, journal, step, &library, SAMPLES)? } else { Vec::new() };
            if phase == Phase::Migrating {
                self.migrate(journal, (index, step), cursor, &library, tell)?;
            }
            self.tell(tell, Phase::Settling, Some(step), 0, None)?;
            let (by_source, by_label) = (by_source(&library), by_label(&library));
            let settling = Settling {
                step,
                index,
                library: &library,
                by_source: &by_source,
                by_label: &by_label,
                prefix: self.prefix,
            };
            write(journal, |piece| {
                settling.settle(piece)?;
                Ok(piece.move_to(Position { phase: Phase::Migrating, step: index + 1, cursor: 0 })?)
            })?;
            library = self.library(journal)?;
            twice_is_once(self.steps, journal, step, &samples, (&library, &by_label, self.prefix))?;
        }
        if journal.position()?.phase != Phase::Ready {
            self.close(journal)?;
        }
        let digests = (0..self.order.len()).map(|index| digest(journal, index)).collect::<Result<_, _>>()?;
        Ok(Carried { items: journal.staged()?, library, digests })
    }

    /// The configuration with all items that are staged so far.
    fn library(&self, journal: &Journal) -> Result<Arc<Snapshot>, Error> {
        let staged = journal.staged()?;
        if staged.is_empty() {
            return Ok(Arc::clone(self.base));
        }
        Ok(Arc::new(self.base.overlaid(staged.into_iter().map(|it| (it.name, it.item)))))
    }

    fn tell(
        &self,
        tell: Tell<'_>,
        phase: Phase,
        step: Option<&StepInfo>,
        done: u64,
        of: Option<u64>,
    ) -> Result<(), Error> {
        tell(&Progress { phase, step: step.map(|step| step.name.clone()), done, of })
    }

    fn read(&self, journal: &mut Journal, tell: Tell<'_>) -> Result<(), Error> {
        let mut cursor = journal.position()?.cursor;
        let (mut waiting, mut size) = (Vec::with_capacity(RECORDS), 0);
        self.source.read(cursor, &mut |record| {
            size += characters(&record);
            waiting.push(record);
            if waiting.len() < RECORDS && size < CHARACTERS {
                return Ok::<(), Error>(());
            }
            (cursor, size) = (cursor + waiting.len() as u64, 0);
            write_records(journal, &mut waiting, cursor)?;
            self.tell(tell, Phase::Reading, None, cursor, None)
        })?;
        cursor += waiting.len() as u64;
        write_records(journal, &mut waiting, cursor)?;
        write(journal, |piece| {
            if let Some(zip) = self.source.solution() {
                solution::import(piece, zip, self.base)?;
            }
            Ok(piece.move_to(Position { phase: Phase::Migrating, step: 0, cursor: 0 })?)
        })
    }

    fn check(
        &self,
        journal: &mut Journal,
        step: &StepInfo,
        library: &Arc<Snapshot>,
        tell: Tell<'_>,
    ) -> Result<(), Error> {
        let mut after = 0;
        let mut done = 0;
        while let Some(Turned { page, last, .. }) = turn(journal, step, after)? {
            let notes = self.steps.check(&step.name, &page, library)?;
            believe_notes(step, &page, &notes)?;
            write(journal, |piece| notes.iter().try_for_each(|it| Ok(piece.note(&noted(step, it))?)))?;
            after = last;
            done += page.rows.len() as u64;
            self.tell(tell, Phase::Checking, Some(step), done, None)?;
        }
        Ok(())
    }

    fn migrate(
        &self,
        journal: &mut Journal,
        (index, step): (usize, &StepInfo),
        cursor: u64,
        library: &Arc<Snapshot>,
        tell: Tell<'_>,
    ) -> Result<(), Error> {
        let tables: Vec<&str> = step.tables.iter().map(|table| table.name.as_str()).collect();
        let (of, mut after, mut done) = (journal.count(Some(&tables))?, cursor, 0);
        while let Some(Turned { page, last, too_large }) = turn(journal, step, after)? {
            let answer = self.steps.migrate(&step.name, &page, library)?;
            believe(step, &page, &answer)?;
            write(journal, |piece| {
                let by = Account { step: &step.name, ..Account::default() };
                for row in &too_large {
                    let reason = "more rows belong to it than can be looked at at once: split it";
                    piece.account(row, Outcome::Quarantined, &Account { reason: Some(reason), ..by.clone() })?;
                }
                for upsert in &answer.upserts {
                    piece.propose(
                        index,
                        &Proposal {
                            ordinal: 0,
                            kind: upsert.kind.clone(),
                            proposed: upsert.name.clone(),
                            aliases: upsert.aliases.clone(),
                            merges: upsert.merges,
                            attributes: upsert.attributes.clone(),
                            sources: upsert.sources.clone(),
                            name: None,
                        },
                    )?;
                }
                for one in &answer.quarantine {
                    let reason = format!("{} ({})", one.reason, one.code);
                    piece.account(&one.row, Outcome::Quarantined, &Account { reason: Some(&reason), ..by.clone() })?;
                }
                answer.notes.iter().try_for_each(|it| piece.note(&noted(step, it)))?;
                Ok(piece.move_to(Position { phase: Phase::Migrating, step: index, cursor: last })?)
            })?;
            after = last;
            done += page.rows.len() as u64;
            self.tell(tell, Phase::Migrating, Some(step), done, Some(of))?;
        }
        Ok(())
    }

    /// Accounts for rows that no step used, and for links that lead nowhere.
    fn close(&self, journal: &mut Journal) -> Result<(), Error> {
        let read: BTreeSet<&str> = self
            .order
            .iter()
            .flat_map(|step| &step.tables)
            .flat_map(|table| table.with.iter().chain([&table.name]))
            .map(String::as_str)
            .collect();
        let skipped = match self.source.solution() {
            Some(zip) => import::plan(zip, self.base)?.report.components,
            None => Vec::new(),
        };
        // The import has accounted for the links of a solution.
        let loose = if self.source.solution().is_some() { Vec::new() } else { journal.loose_links()? };
        let open = journal.open_tables()?;
        write(journal, |piece| {
            solution::keep_skipped(piece, &skipped)?;
            for table in open {
                if read.contains(table.as_str()) {
                    let reason = "nothing that was migrated names it or is linked to it";
                    piece.close_table(&table, Outcome::Quarantined, reason)?;
                } else {
                    let hint = if import::reads(&table) { "; export it as a solution to bring it along" } else { "" };
                    let reason = format!("no step reads `{table}`: it is kept as it is{hint}");
                    piece.close_table(&table, Outcome::Kept, &reason)?;
                }
            }
            for Edge { relation, from, to } in loose {
                let message = format!(
                    "`{relation}` links it to `{to}`, and one of the two is in no record: the link is left out"
                );
                let (step, code, place) = (String::new(), "link-without-row".to_owned(), from.to_string());
                piece.note(&Note { step, code, place, message })?;
            }
            Ok(piece.move_to(Position { phase: Phase::Ready, step: self.order.len(), cursor: 0 })?)
        })
    }
}

/// Writes one piece of the journal.
fn write(journal: &mut Journal, work: impl FnOnce(&Piece<'_>) -> Result<(), Error>) -> Result<(), Error> {
    journal.write(work)
}

fn write_records(journal: &mut Journal, waiting: &mut Vec<Record>, cursor: u64) -> Result<(), Error> {
    write(journal, |piece| {
        let first = cursor - waiting.len() as u64 + 1;
        for (number, record) in (first..).zip(waiting.drain(..)) {
            match record {
                Record::Row(row) => {
                    if !piece.add_row(&row)? {
                        add_again(piece, row, number)?;
                    }
                }
                Record::Link(link) => piece.add_link(&link)?,
                Record::Note(note) => piece.note(&note)?,
            }
        }
        Ok(piece.move_to(Position { phase: Phase::Reading, step: 0, cursor })?)
    })
}

/// Keeps a row whose ID was read before under another ID, made of its place among the records, and quarantines it.
fn add_again(piece: &Piece<'_>, row: Row, number: u64) -> Result<(), Error> {
    let reason = format!("another row has the id `{}`: keep one of them", row.key.id);
    let key = RowKey::new(&row.key.table, format!("{}#{number}", row.key.id));
    piece.add_row(&Row { key: key.clone(), ..row })?;
    piece.account(&key, Outcome::Quarantined, &Account { reason: Some(&reason), ..Account::default() })?;
    Ok(())
}

fn characters(record: &Record) -> usize {
    match record {
        Record::Row(row) => row.values.iter().map(|(column, text)| column.len() + text.len()).sum::<usize>() + 100,
        _ => 100,
    }
}

fn noted(step: &StepInfo, note: &StepNote) -> Note {
    let place = note.row.as_ref().map_or_else(String::new, ToString::to_string);
    Note { step: step.name.clone(), code: note.code.clone(), place, message: note.message.clone() }
}

/// A digest of the proposals of a step.
fn digest(journal: &Journal, index: usize) -> Result<String, Error> {
    let (mut hash, mut after) = (Sha256::new(), 0);
    loop {
        let proposals = journal.proposals(index, after, 500)?;
        let Some(last) = proposals.last() else { return Ok(hexadecimal(&hash.finalize())) };
        after = last.ordinal;
        for it in &proposals {
            let (aliases, sources) =
                (it.aliases.join("\0"), it.sources.iter().map(|key| format!("{key}\0")).collect::<String>());
            let name = it.name.as_deref().unwrap_or_default();
            for text in [&it.kind, &it.proposed, name, &it.attributes, &aliases, &sources] {
                hash.update((text.len() as u64).to_le_bytes());
                hash.update(text.as_bytes());
            }
            hash.update([u8::from(it.merges)]);
        }
    }
}
