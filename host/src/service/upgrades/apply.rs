//! Carries a plan out. The process that does so holds the lease of the run, and renews it while it works.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::domain::access::AuditEvent;
use crate::domain::revision::Author;
use crate::service::{Error, Service};
use crate::store;
use crate::store::journal::{Journal, Tally};
use crate::store::{
    Authority, Change, ChangeSet, Committed, Expect, Lease, NewRun, RunState, StepRun, Strictness, is_gone,
    this_process,
};
use crate::upgrade;
use crate::upgrade::{Carried, Plan, Run, Source, StepFault, Tell, tallied};

use super::{JOURNAL, SOURCE, UpgradeStatus, ended};

/// How often a lease is renewed.
const BEAT: Duration = Duration::from_secs(3);

impl Service {
    /// Begins the run of a plan: it is in the store from now on, and this process holds its lease. Does none of its
    /// work.
    pub fn begin_upgrade(&self, plan: &str, who: &str) -> Result<Lease, Error> {
        let plan = self.upgrade_plan(plan)?;
        let offered = self.machinery.steps(&self.store, &*self.store.snapshot()?)?;
        self.components_of(&plan, &*offered)?;
        let steps = plan.steps.iter().filter(|step| step.skipped.is_none());
        let steps = steps.map(|step| StepRun {
            name: step.name.clone(),
            version: step.version.clone(),
            digest: step.digest.clone(),
        });
        let run = NewRun {
            plan: plan.id.clone(),
            base: plan.base,
            source: plan.source.name.clone(),
            digest: plan.source.digest.clone(),
            who: who.to_owned(),
            steps: steps.collect(),
        };
        Ok(self.store.begin_run(&run, &this_process(), is_gone)?)
    }

    /// Takes over a run that is not finished, the only one there is if none is named. The audit names the author; the
    /// revision at the end is by the person who began the run.
    pub fn take_upgrade(&self, run: Option<u64>, author: &Author) -> Result<Lease, Error> {
        let run = match run {
            Some(run) => run,
            None => {
                let unfinished = self.store.runs()?.into_iter().find(|run| run.state == RunState::Unfinished);
                unfinished.ok_or(store::Error::NoneUnfinished)?.id
            }
        };
        if self.store.run(run)?.0.state == RunState::Unfinished {
            self.note(author, AuditEvent::UpgradeResumed { run })?;
        }
        Ok(self.store.take_lease(run, &this_process(), is_gone)?)
    }

    /// Carries a run out from where its journal ends, up to the one revision that makes it visible.
    ///
    /// A step that breaks ends the run: nothing of the run becomes visible, and it is abandoned. A run also ends if the
    /// environment was changed since the plan, or would have more than a library may have.
    pub fn carry_upgrade(&self, lease: &Lease, tell: Tell<'_>) -> Result<UpgradeStatus, Error> {
        let done = self.while_beating(lease, tell, |tell| self.carry_out(lease, tell));
        if let Err(error) = &done {
            // Trying again would not help after a fault of a step, except if the host was too busy to call it.
            let is_final = match error {
                Error::Upgrade(upgrade::Error::Step(fault)) => fault.code != "plugin.busy",
                // A plan of an earlier version may lead to more than a library may have, however often it is tried.
                Error::Store(store::Error::BaseMoved { .. } | store::Error::LibraryFull { .. }) => true,
                _ => false,
            };
            let failure = error.to_string();
            let closed =
                if is_final { self.store.give_up(lease, &failure) } else { self.store.let_go(lease, &failure) };
            // If another process took the run meanwhile, that process closes it. The caller gets the failure itself.
            if let Err(error) = closed {
                tracing::debug!(%error, run = lease.run, "the upgrade that failed was not closed");
            }
        }
        let status = self.upgrade(lease.run);
        if let Ok(UpgradeStatus { run, .. }) = &status
            && run.state != store::RunState::Unfinished
        {
            self.forget_source(&run.plan);
        }
        done.and(status)
    }

    fn carry_out(&self, lease: &Lease, tell: Tell<'_>) -> Result<(), Error> {
        // If the run was dropped meanwhile, the old environment may be gone, too.
        self.store.renew(lease)?;
        let (record, _) = self.store.run(lease.run)?;
        let plan = self.upgrade_plan(&record.plan)?;
        let folder = self.upgrade_folder(&plan.id);
        let mut source = Source::open(&folder.join(SOURCE), &plan.source.name).map_err(upgrade::Error::from)?;
        source.info.prefix.clone_from(&plan.source.prefix);
        if source.info.digest != plan.source.digest {
            return Err(upgrade::Error::OtherSource(plan.id).into());
        }
        let base = self.store.snapshot_at(plan.base)?;
        let offered = self.machinery.steps(&self.store, &base)?;
        let selected = self.components_of(&plan, &*offered)?;
        let newest = self.store.newest()?;
        if newest != plan.base {
            return Err(store::Error::BaseMoved { base: plan.base, newest }.into());
        }
        let mut journal = Journal::open(&folder.join(JOURNAL), lease.run, lease.token)?;
        let run = Run { steps: &*offered, order: &selected, base: &base, source: &source, prefix: &source.info.prefix };
        let Carried { items, digests, .. } = run.carry_out(&mut journal, false, tell)?;
        let planned = plan.steps.iter().filter(|step| step.skipped.is_none());
        if let Some((step, _)) = planned.zip(&digests).find(|(step, digest)| step.result != **digest) {
            return Err(upgrade::Error::from(StepFault {
                step: format!("{} {}", step.name, step.version),
                code: "step.differs".to_owned(),
                message: "it proposed something else than when the plan was made".to_owned(),
            })
            .into());
        }
        let report = report(&plan, journal.tally()?);
        drop(journal);
        let changes = items.into_iter().map(|staged| {
            let here = base.entry(staged.item.kind(), &staged.name);
            let expect = here.map_or(Expect::Absent, |entry| Expect::Revision(entry.revision));
            Change::Put { name: staged.name, item: staged.item, expect }
        });
        let changes = ChangeSet {
            changes: changes.collect(),
            strictness: Strictness::Report,
            authority: Authority::Upgrader,
            ..ChangeSet::default()
        };
        let why = format!("upgrade {} from {}", record.id, record.source);
        let report = |committed: &Committed| ended::applied(&report, &committed.displaced);
        self.store.finish_run(lease, changes, &Author::new(record.who, why), &report)?;
        Ok(())
    }

    /// Stops every run that this service carries out where it is, to be resumed later.
    pub fn stop_upgrades(&self) {
        self.stopping.store(true, SeqCst);
    }

    /// Returns whether [`Service::stop_upgrades`] was called.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(SeqCst)
    }

    /// Renews the lease while `work` goes on. Once the lease is lost, the next call of `tell` by `work` ends it.
    fn while_beating<T>(
        &self,
        lease: &Lease,
        tell: Tell<'_>,
        work: impl FnOnce(Tell<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let (lost, done, woken) = (AtomicBool::new(false), Mutex::new(false), Condvar::new());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut is_done = done.lock().unwrap_or_else(PoisonError::into_inner);
                while !*is_done && !lost.load(SeqCst) {
                    is_done = woken.wait_timeout(is_done, BEAT).unwrap_or_else(PoisonError::into_inner).0;
                    if !*is_done && matches!(self.store.renew(lease), Err(store::Error::LeaseLost { .. })) {
                        lost.store(true, SeqCst);
                    }
                }
            });
            let _wake = Wake { done: &done, woken: &woken };
            work(&|progress| {
                if lost.load(SeqCst) {
                    return Err(store::Error::LeaseLost { run: lease.run }.into());
                }
                if self.stopping.load(SeqCst) {
                    return Err(upgrade::Error::Stopped { run: lease.run });
                }
                tell(progress)
            })
        })
    }
}

/// Ends the renewing of a lease, however the work ended.
struct Wake<'a> {
    done: &'a Mutex<bool>,
    woken: &'a Condvar,
}

impl Drop for Wake<'_> {
    fn drop(&mut self) {
        *self.done.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.woken.notify_all();
    }
}

/// Returns the report that is kept with a run that was applied.
fn report(plan: &Plan, tally: Tally) -> Value {
    let created = plan.differences.iter().filter(|difference| difference.created).count();
    serde_json::json!({
        "source": plan.source,
        "rows": tallied(tally),
        "links": plan.links,
        "created": created,
        "updated": plan.differences.len() - created,
        "notes": plan.notes.len(),
    })
}
