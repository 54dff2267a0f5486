//! Upgrades of old environments: plan, apply, resume, abandon, roll back.
//!
//! A plan lies in a folder of its own, `upgrades/<plan>` within the data folder, with the old environment it is for; the run
//! that carries it out keeps its journal beside them. Whoever carries a run out holds its lease, and renews it while it works.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::domain::experience::ExplainLevel;
use crate::domain::revision::Author;
use crate::domain::{Name, Revision, User};
use crate::resolve::{Subject, resolve};
use crate::store::journal::{Accounted, Journal, Note, Outcome, Phase, Tally};
use crate::store::{
    self, Authority, Change, ChangeSet, Expect, Lease, NewRun, Person, Run as RunRecord, RunState, Snapshot, StepRun,
    Strictness, review,
};
use crate::upgrade::{
    self, Carried, Changed, Plan, PlannedRow, Progress, Run, SideBySide, Source, StepFault, StepInfo, Tell,
    differences, identity, inverse, is_gone, ordered, select, tallied, this_process,
};

use super::{Error, Service};

/// Where plans and journals lie, within the data folder.
const UPGRADES: &str = "upgrades";
const SOURCE: &str = "source.zip";
const PLAN: &str = "plan.json";
const JOURNAL: &str = "journal.db";

/// How often a lease is renewed.
const BEAT: Duration = Duration::from_secs(3);
/// Notes and quarantined rows a plan lists; the rest is counted.
const LISTED: usize = 1_000;

/// How to plan.
#[derive(Debug, Clone, Default)]
pub struct PlanOptions {
    /// The prefix of names that have none; the source's own if there is none.
    pub prefix: Option<String>,
    /// What to do about steps that changed since they were carried out.
    pub changed: Option<Changed>,
    /// Whose experience is shown before and after, and in which app; nobody is somebody without roles.
    pub people: Vec<(Option<Name<User>>, String)>,
}

/// What is known of an upgrade.
#[derive(Debug, Clone, PartialEq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UpgradeStatus {
    /// The run.
    #[serde(flatten)]
    pub run: RunRecord,
    /// How far it is, while it is not finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// How many rows of each table became what.
    pub rows: std::collections::BTreeMap<String, std::collections::BTreeMap<String, u64>>,
    /// What an administrator should know, the first of it.
    pub notes: Vec<Note>,
    /// What came of it, once it was applied.
    #[schema(value_type = Option<Object>)]
    pub report: Option<Value>,
}

impl Service {
    /// Plans the upgrade from the old environment in `file`, which people call `called`. Writes nothing to the database.
    pub fn plan_upgrade(
        &self,
        file: &Path,
        called: &str,
        options: &PlanOptions,
        tell: Tell<'_>,
    ) -> Result<Plan, Error> {
        let mut source = Source::open(file, called).map_err(upgrade::Error::from)?;
        if let Some(prefix) = &options.prefix {
            source.info.prefix.clone_from(prefix);
        }
        let base = self.store.snapshot()?;
        let runs = self.store.runs()?;
        let order = ordered(self.steps.infos()).map_err(upgrade::Error::from)?;
        let mut steps = select(&order, source.version().as_ref(), &runs, options.changed)?;
        let id = identity(base.revision(), &source.info, &steps, runs.len());
        let selected: Vec<StepInfo> = order
            .into_iter()
            .zip(&steps)
            .filter(|(_, planned)| planned.skipped.is_none())
            .map(|(step, _)| step.clone())
            .collect();
        let folder = self.upgrade_folder(&id);
        fs::create_dir_all(&folder).map_err(|error| unusable(&folder, error))?;
        let scratch = Scratch::within(&folder);
        let mut journal = Journal::open(&scratch.0, 0, 0)?;
        let run =
            Run { steps: &*self.steps, order: &selected, base: &base, source: &source, prefix: &source.info.prefix };
        let Carried { items, library, digests } = run.carry_out(&mut journal, true, tell)?;
        let mut proposed = digests.into_iter();
        for step in steps.iter_mut().filter(|step| step.skipped.is_none()) {
            step.result = proposed.next().unwrap_or_default();
        }
        let touched: BTreeSet<_> = items.iter().map(|it| (it.item.kind(), Arc::clone(&it.name))).collect();
        let mut notes = journal.notes(LISTED)?;
        for tolerated in review(&library, &touched)? {
            let place = format!("{}/{}", tolerated.kind.collection(), tolerated.name);
            let note = Note {
                step: String::new(),
                code: "tolerated".to_owned(),
                place,
                message: tolerated.problem.to_string(),
            };
            if !notes.iter().any(|known| (&known.place, &known.message) == (&note.place, &note.message)) {
                notes.push(note);
            }
        }
        let quarantine = journal.accounted(Some(Outcome::Quarantined), 0, LISTED)?;
        let quarantine = quarantine.into_iter().map(|row| PlannedRow {
            table: row.key.table,
            id: row.key.id,
            reason: row.reason.unwrap_or_default(),
        });
        let plan = Plan {
            id,
            base: base.revision(),
            source: source.info.clone(),
            steps,
            rows: tallied(journal.tally()?),
            links: journal.count_links()?,
            differences: differences(&items, &base),
            quarantine: quarantine.collect(),
            notes,
            experiences: self.side_by_side(&base, &library, &options.people)?,
        };
        keep_source(file, &folder.join(SOURCE))?;
        let text = serde_json::to_vec_pretty(&plan).map_err(|error| unusable(&folder, error.into()))?;
        write_whole(&folder.join(PLAN), &text)?;
        Ok(plan)
    }

    /// A plan that was made.
    pub fn upgrade_plan(&self, id: &str) -> Result<Plan, Error> {
        let missing = || Error::from(upgrade::Error::NoSuchPlan(id.to_owned()));
        // An id is a few hexadecimal digits; anything else would lead somewhere else.
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(missing());
        }
        let file = self.upgrade_folder(id).join(PLAN);
        let text = match fs::read(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(missing()),
            read => read.map_err(|error| unusable(&file, error))?,
        };
        serde_json::from_slice(&text).map_err(|error| unusable(&file, error.into()))
    }

    /// Begins to carry out a plan: from now on the run is there, and its lease is held by this process.
    pub fn begin_upgrade(&self, plan: &str, who: &str) -> Result<Lease, Error> {
        let plan = self.upgrade_plan(plan)?;
        self.components_of(&plan)?;
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

    /// Takes over a run that is not finished, the only one there is if none is named.
    pub fn take_upgrade(&self, run: Option<u64>) -> Result<Lease, Error> {
        let run = match run {
            Some(run) => run,
            None => {
                let unfinished = self.store.runs()?.into_iter().find(|run| run.state == RunState::Unfinished);
                unfinished.ok_or(store::Error::NoneUnfinished)?.id
            }
        };
        Ok(self.store.take_lease(run, &this_process(), is_gone)?)
    }

    /// Carries a run out from where its journal ends, up to the one revision that makes it visible.
    ///
    /// A step that breaks ends the run: nothing of it becomes visible, and it is abandoned.
    pub fn carry_upgrade(&self, lease: &Lease, tell: Tell<'_>) -> Result<UpgradeStatus, Error> {
        let done = self.while_beating(lease, tell, |tell| self.carry_out(lease, tell));
        if let Err(error) = &done {
            // Trying again would not help where a step broke; a host that was too busy to ask it is another matter.
            let is_final = match error {
                Error::Upgrade(upgrade::Error::Step(fault)) => fault.code != "plugin.busy",
                Error::Store(store::Error::BaseMoved { .. }) => true,
                _ => false,
            };
            let failure = error.to_string();
            let closed =
                if is_final { self.store.give_up(lease, &failure) } else { self.store.let_go(lease, &failure) };
            // A run that is somebody else's by now is theirs to close; the failure itself is what people are told.
            if let Err(error) = closed {
                tracing::debug!(%error, run = lease.run, "the upgrade that failed was not closed");
            }
        }
        done.and_then(|()| self.upgrade(lease.run))
    }

    fn carry_out(&self, lease: &Lease, tell: Tell<'_>) -> Result<(), Error> {
        let (record, _) = self.store.run(lease.run)?;
        let plan = self.upgrade_plan(&record.plan)?;
        let selected = self.components_of(&plan)?;
        let folder = self.upgrade_folder(&plan.id);
        let mut source = Source::open(&folder.join(SOURCE), &plan.source.name).map_err(upgrade::Error::from)?;
        source.info.prefix.clone_from(&plan.source.prefix);
        if source.info.digest != plan.source.digest {
            return Err(upgrade::Error::OtherSource(plan.id).into());
        }
        let base = self.store.snapshot_at(plan.base)?;
        let newest = self.store.newest()?;
        if newest != plan.base {
            return Err(store::Error::BaseMoved { base: plan.base, newest }.into());
        }
        let mut journal = Journal::open(&folder.join(JOURNAL), lease.run, lease.token)?;
        let run =
            Run { steps: &*self.steps, order: &selected, base: &base, source: &source, prefix: &source.info.prefix };
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
        let changes =
            ChangeSet { changes: changes.collect(), strictness: Strictness::Report, authority: Authority::Upgrader };
        let why = format!("upgrade {} from {}", record.id, record.source);
        self.store.finish_run(lease, changes, &Author { who: record.who, why }, &report.to_string())?;
        Ok(())
    }

    /// Lets every run that this service carries out end where it is, to be resumed later.
    pub fn stop_upgrades(&self) {
        self.stopping.store(true, SeqCst);
    }

    /// Whether [`Service::stop_upgrades`] was called.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(SeqCst)
    }

    /// Drops a run that is not finished. Nothing of it was visible, and nothing of it will be.
    pub fn abandon_upgrade(&self, run: u64) -> Result<RunRecord, Error> {
        Ok(self.store.abandon_run(run)?)
    }

    /// Undoes a run that was applied, as one revision. Refused where something later depends on it.
    pub fn roll_back_upgrade(&self, run: u64, author: &Author) -> Result<RunRecord, Error> {
        let (record, _) = self.store.run(run)?;
        if record.state == RunState::Baseline {
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
        let changes = ChangeSet { changes, strictness: Strictness::Report, authority: Authority::Upgrader };
        self.store.undo_run(run, changes, author)?;
        Ok(self.store.run(run)?.0)
    }

    /// Declares steps to be done, all if none is named, for an environment that has what they would bring.
    pub fn baseline(&self, steps: &[String], who: &str) -> Result<RunRecord, Error> {
        let infos = self.steps.infos();
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

    /// Every upgrade, newest first.
    pub fn upgrades(&self) -> Result<Vec<RunRecord>, Error> {
        Ok(self.store.runs()?)
    }

    /// What is known of an upgrade.
    pub fn upgrade(&self, run: u64) -> Result<UpgradeStatus, Error> {
        let (run, report) = self.store.run(run)?;
        let report = report.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let Some(journal) = Journal::look(&self.upgrade_folder(&run.plan).join(JOURNAL))? else {
            return Ok(UpgradeStatus { run, progress: None, rows: Default::default(), notes: Vec::new(), report });
        };
        let is_unfinished = run.state == RunState::Unfinished;
        let progress = if is_unfinished { Some(progress(&run, &journal)?) } else { None };
        let (rows, notes) = (tallied(journal.tally()?), journal.notes(LISTED)?);
        Ok(UpgradeStatus { run, progress, rows, notes, report })
    }

    /// Up to `limit` rows of an upgrade behind `after`, of one outcome or of all, in the order they were read.
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

    /// The steps of a plan that are carried out. Refused if a component is another one than when the plan was made.
    fn components_of(&self, plan: &Plan) -> Result<Vec<StepInfo>, Error> {
        let planned = plan.steps.iter().filter(|step| step.skipped.is_none());
        let found = planned.map(|step| {
            let info = self.steps.infos().iter().find(|info| info.name == step.name && info.digest == step.digest);
            info.cloned().ok_or_else(|| upgrade::Error::OtherComponents(step.name.clone()).into())
        });
        found.collect()
    }

    fn upgrade_folder(&self, plan: &str) -> PathBuf {
        self.store.folder().join(UPGRADES).join(plan)
    }

    fn side_by_side(
        &self,
        before: &Arc<Snapshot>,
        after: &Arc<Snapshot>,
        people: &[(Option<Name<User>>, String)],
    ) -> Result<Vec<SideBySide>, Error> {
        let mut shown = Vec::new();
        for (login, app) in people {
            let subject = self.subject(login.as_ref(), before.revision())?;
            let experience = |library: &Arc<Snapshot>| {
                let resolved = resolve(library, &subject, app, None, ExplainLevel::None, &*self.rules);
                resolved.map_or_else(
                    |error| Value::String(error.to_string()),
                    |experience| serde_json::to_value(experience).unwrap_or_default(),
                )
            };
            let user = login.as_ref().map(ToString::to_string);
            shown.push(SideBySide { user, app: app.clone(), before: experience(before), after: experience(after) });
        }
        Ok(shown)
    }

    fn subject(&self, login: Option<&Name<User>>, revision: Revision) -> Result<Subject, Error> {
        let Some(login) = login else {
            let user = serde_json::from_value(serde_json::json!({ "displayName": "Anybody" }));
            let user = user.map_err(|error| store::Error::Corrupt(error.into()))?;
            return Ok(Subject { login: None, user, direct: Vec::new(), hypothetical_profile: None });
        };
        let gone = || store::Error::NotFound { kind: crate::domain::Kind::User, name: login.to_string() };
        let Person { login, user, direct } = self.store.person(login, revision)?.ok_or_else(gone)?;
        Ok(Subject { login: Some(login.to_string()), user, direct, hypothetical_profile: None })
    }

    /// Renews the lease while `work` goes on. Once it is lost, the next thing `work` tells ends it.
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

/// A journal that is of no use once the plan is made.
struct Scratch(PathBuf);

impl Scratch {
    fn within(folder: &Path) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, SeqCst);
        let scratch = Self(folder.join(format!("scratch-{}-{count}.db", std::process::id())));
        // What a process of the same number left behind says nothing about this plan.
        scratch.remove();
        scratch
    }

    fn remove(&self) {
        for end in ["", "-wal", "-shm"] {
            let mut file = self.0.clone().into_os_string();
            file.push(end);
            // What is not there need not go.
            let _ = fs::remove_file(file);
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.remove();
    }
}

fn progress(run: &RunRecord, journal: &Journal) -> Result<Progress, Error> {
    let position = journal.position()?;
    let step = run.steps.get(position.step).map(|step| step.name.clone());
    let of = if position.phase == Phase::Reading { None } else { Some(journal.count(None)?) };
    let done = of.map_or(position.cursor, |of| position.cursor.min(of));
    Ok(Progress { phase: position.phase, step: step.filter(|_| of.is_some()), done, of })
}

/// What is kept with a run that was applied.
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

fn keep_source(from: &Path, to: &Path) -> Result<(), Error> {
    // Planning again over the file that is kept must not copy it onto itself.
    if from.canonicalize().ok() == to.canonicalize().ok() && to.exists() {
        return Ok(());
    }
    let unfinished = unfinished(to);
    fs::copy(from, &unfinished).map_err(|error| unusable(&unfinished, error))?;
    fs::rename(&unfinished, to).map_err(|error| unusable(to, error))
}

/// The name of a file while it is written, told apart from every other.
fn unfinished(file: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    file.with_extension(format!("{}-{}.tmp", std::process::id(), COUNT.fetch_add(1, SeqCst)))
}

fn write_whole(file: &Path, text: &[u8]) -> Result<(), Error> {
    let unfinished = unfinished(file);
    fs::write(&unfinished, text).map_err(|error| unusable(&unfinished, error))?;
    fs::rename(&unfinished, file).map_err(|error| unusable(file, error))
}

fn unusable(path: &Path, source: io::Error) -> Error {
    upgrade::Error::File { path: path.display().to_string(), source }.into()
}
