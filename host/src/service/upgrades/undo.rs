//! Ends an upgrade without its result: drops a run, undoes one, or declares steps to be done.

use serde_json::json;

use crate::domain::access::AuditEvent;
use crate::domain::revision::Author;
use crate::service::{Error, Service};
use crate::store::{self, Authority, ChangeSet, Committed, NewRun, Run as RunRecord, RunState, StepRun, Strictness};
use crate::upgrade::{self, inverse};

use super::ended;

impl Service {
    /// Drops a run that is not finished. Nothing of it was visible, and nothing will be.
    pub fn abandon_upgrade(&self, run: u64, author: &Author) -> Result<RunRecord, Error> {
        if self.store.run(run)?.0.state == RunState::Unfinished {
            self.note(author, AuditEvent::UpgradeAbandoned { run })?;
        }
        let abandoned = self.store.abandon_run(run)?;
        self.forget_source(&abandoned.plan);
        Ok(abandoned)
    }

    /// Undoes a run that was applied, as one revision. Refuses where a later change depends on it. Revokes a baseline.
    pub fn roll_back_upgrade(&self, run: u64, author: &Author) -> Result<RunRecord, Error> {
        let (record, report) = self.store.run(run)?;
        if record.state == RunState::Baseline {
            self.note(author, AuditEvent::BaselineRevoked { run })?;
            self.store.revoke_baseline(run)?;
            return Ok(self.store.run(run)?.0);
        }
        let revision = match (record.state, record.revision) {
            (RunState::Applied, Some(revision)) => revision,
            (state, _) => {
                return Err(store::Error::WrongState { run, state: state.as_str(), wanted: "rolled back" }.into());
            }
        };
        let done = if revision == record.base { Vec::new() } else { self.store.changes_of(revision)? };
        let now = self.store.snapshot()?;
        let changes = inverse(run, &done, &now).map_err(upgrade::Error::from)?;
        let changes = ChangeSet {
            changes,
            strictness: Strictness::Report,
            authority: Authority::Upgrader,
            ..ChangeSet::default()
        };
        let report = report.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_else(|| json!({}));
        let report = |committed: &Committed| ended::rolled_back(&report, &committed.displaced);
        self.store.undo_run(run, changes, author, &report)?;
        Ok(self.store.run(run)?.0)
    }

    /// Declares steps to be done, all if none is named, for an environment that already has their results.
    pub fn baseline(&self, steps: &[String], who: &str) -> Result<RunRecord, Error> {
        let offered = self.machinery.steps(&self.store, &*self.store.snapshot()?)?;
        let infos = offered.infos();
        if let Some(unknown) = steps.iter().find(|name| !infos.iter().any(|info| info.name == **name)) {
            let known: Vec<&str> = infos.iter().map(|info| info.name.as_str()).collect();
            return Err(Error::UnknownStep { name: unknown.clone(), known: known.join(", ") });
        }
        let chosen = infos.iter().filter(|info| steps.is_empty() || steps.contains(&info.name));
        let chosen = chosen.map(|info| StepRun {
            name: info.name.clone(),
            version: info.version.clone(),
            digest: info.digest.clone(),
        });
        let run = self.store.baseline(&NewRun {
            plan: format!("baseline-{}", self.store.runs()?.len() + 1),
            base: self.store.newest()?,
            source: "the environment as it is".to_owned(),
            digest: String::new(),
            who: who.to_owned(),
            steps: chosen.collect(),
        })?;
        Ok(self.store.run(run)?.0)
    }
}
