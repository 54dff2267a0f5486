//! The status of upgrades, read from the store and the journals, whichever process carries them out. Changes nothing.

use serde_json::Value;

use crate::service::{Error, Service};
use crate::store::journal::{Accounted, Journal, Outcome, Phase};
use crate::store::{Run as RunRecord, RunState};
use crate::upgrade::{Progress, tallied};

use super::{JOURNAL, LISTED, UpgradeStatus, ended, quarantined};

impl Service {
    /// Returns every upgrade, newest first.
    pub fn upgrades(&self) -> Result<Vec<RunRecord>, Error> {
        Ok(self.store.runs()?)
    }

    /// Returns the status of an upgrade.
    pub fn upgrade(&self, run: u64) -> Result<UpgradeStatus, Error> {
        let (run, report) = self.store.run(run)?;
        let report: Option<Value> = report.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let mut notes = ended::of_report(report.as_ref());
        let Some(journal) = Journal::look(&self.upgrade_folder(&run.plan).join(JOURNAL))? else {
            let (rows, quarantine) = Default::default();
            return Ok(UpgradeStatus { run, progress: None, rows, quarantine, notes, report });
        };
        let is_unfinished = run.state == RunState::Unfinished;
        let progress = if is_unfinished { Some(progress(&run, &journal)?) } else { None };
        let (rows, quarantine) = (tallied(journal.tally()?), quarantined(&journal)?);
        notes.extend(journal.notes(LISTED)?);
        Ok(UpgradeStatus { run, progress, rows, quarantine, notes, report })
    }

    /// Returns up to `limit` rows of an upgrade after `after`, of one outcome or of all, in the order they were read.
    pub fn upgrade_rows(
        &self,
        run: u64,
        outcome: Option<Outcome>,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Accounted>, Error> {
        let (run, _) = self.store.run(run)?;
        let journal = Journal::look(&self.upgrade_folder(&run.plan).join(JOURNAL))?;
        Ok(journal.map_or_else(|| Ok(Vec::new()), |journal| journal.accounted(outcome, after, limit))?)
    }
}

fn progress(run: &RunRecord, journal: &Journal) -> Result<Progress, Error> {
    let position = journal.position()?;
    let step = run.steps.get(position.step).map(|step| step.name.clone());
    let of = if position.phase == Phase::Reading { None } else { Some(journal.count(None)?) };
    let done = of.map_or(position.cursor, |of| position.cursor.min(of));
    Ok(Progress { phase: position.phase, step: step.filter(|_| of.is_some()), done, of })
}
