//! Upgrades of old environments. This module makes plans; the modules below carry them out, show them and undo them.
//!
//! A plan lies in a folder of its own, `upgrades/<plan>` within the data folder, with the old environment it is for;
//! the run that carries it out keeps its journal beside them. The process that carries a run out holds its lease, and
//! renews it while it works.

mod apply;
mod ended;
mod files;
mod quota;
mod status;
mod undo;
mod upload;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use crate::domain::experience::ExplainLevel;
use crate::domain::{Kind, Name, Revision, User};
use crate::resolve::{Asker, Subject, resolve};
use crate::store::journal::{Accounted, Journal, Note, Outcome};
use crate::store::{self, Person, Run as RunRecord, Snapshot, durable, review};
use crate::upgrade::{
    self, Answered, Carried, Changed, Plan, PlannedRow, Progress, Run, SideBySide, Source, StepInfo, Steps, Tell,
    differences, identity, ordered, select, tallied,
};

use super::{Error, Service};

pub use ended::ENDED_BY_ROLL_BACK;
use files::{Scratch, keep_source, unusable, write_whole};

/// The folder of plans and journals, within the data folder.
const UPGRADES: &str = "upgrades";
const SOURCE: &str = "source.zip";
const PLAN: &str = "plan.json";
const JOURNAL: &str = "journal.db";

/// Most notes and most quarantined rows that a plan lists.
const LISTED: usize = 1_000;

/// How to plan.
#[derive(Debug, Clone, Default)]
pub struct PlanOptions {
    /// The prefix for names that have none; the source's own by default.
    pub prefix: Option<String>,
    /// What to do with steps that changed since they were carried out.
    pub changed: Option<Changed>,
    /// The people whose experience is shown before and after, and in which app; without a login, a person without
    /// roles.
    pub people: Vec<(Option<Name<User>>, String)>,
}

/// The status of an upgrade.
#[derive(Debug, Clone, PartialEq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UpgradeStatus {
    /// The run.
    #[serde(flatten)]
    pub run: RunRecord,
    /// How far the run is, while it is not finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// The number of rows of each table, by outcome.
    pub rows: BTreeMap<String, BTreeMap<String, u64>>,
    /// The first rows that cannot be used.
    pub quarantine: Vec<PlannedRow>,
    /// The first notes for an administrator.
    pub notes: Vec<Note>,
    /// The report of the run, once it was applied.
    #[schema(value_type = Option<Object>)]
    pub report: Option<Value>,
}

impl Service {
    /// Plans the upgrade from the old environment in `file`, which is shown under the name `called`. Writes nothing to
    /// the database.
    pub fn plan_upgrade(
        &self,
        file: &Path,
        called: &str,
        options: &PlanOptions,
        tell: Tell<'_>,
    ) -> Result<Plan, Error> {
        let _turn = self.turns.take()?;
        self.make_room(fs::metadata(file).map_or(0, |file| file.len()))?;
        self.plan_file(file, called, options, tell)
    }

    /// As [`Service::plan_upgrade`], for an old environment that was uploaded.
    pub fn plan_upload(&self, zip: &[u8], called: &str, options: &PlanOptions) -> Result<Plan, Error> {
        let _turn = self.turns.take()?;
        // The upload is on disk twice for a while: the plan has a copy of its own.
        self.make_room(2 * zip.len() as u64)?;
        let upload = self.keep_upload(zip).map_err(|error| unusable(self.store.folder(), error))?;
        self.plan_file(upload.path(), called, options, &|_| Ok(()))
    }

    fn plan_file(&self, file: &Path, called: &str, options: &PlanOptions, tell: Tell<'_>) -> Result<Plan, Error> {
        let mut source = Source::open(file, called).map_err(upgrade::Error::from)?;
        if let Some(prefix) = &options.prefix {
            source.info.prefix.clone_from(prefix);
        }
        let base = self.store.snapshot()?;
        let runs = self.store.runs()?;
        let offered = self.machinery.steps(&self.store, &base)?;
        let order = ordered(offered.infos()).map_err(upgrade::Error::from)?;
        let mut steps = select(&order, source.version().as_ref(), &runs, options.changed)?;
        let id = identity(base.revision(), &source.info, &steps, runs.len());
        let selected: Vec<StepInfo> = order
            .into_iter()
            .zip(&steps)
            .filter(|(_, planned)| planned.skipped.is_none())
            .map(|(step, _)| step.clone())
            .collect();
        let folder = self.upgrade_folder(&id);
        let _unfinished = files::Unfinished(&folder);
        durable::make_folder(&folder).map_err(|error| unusable(&folder, error))?;
        let scratch = Scratch::within(&folder);
        let mut journal = Journal::scratch(&scratch.0)?;
        let run = Run { steps: &*offered, order: &selected, base: &base, source: &source, prefix: &source.info.prefix };
        let Carried { items, library, digests } = run.carry_out(&mut journal, true, tell)?;
        let mut proposed = digests.into_iter();
        for step in steps.iter_mut().filter(|step| step.skipped.is_none()) {
            step.result = proposed.next().unwrap_or_default();
        }
        let touched: BTreeSet<_> = items.iter().map(|it| (it.item.kind(), Arc::clone(&it.name))).collect();
        let put: Vec<&str> = items.iter().filter(|it| it.item.kind() == Kind::Profile).map(|it| &*it.name).collect();
        let would_end = self.store.would_end(&base, &library, &put)?;
        let mut notes = ended::planned(&would_end, library.environment().second_assignment);
        notes.extend(journal.notes(LISTED)?);
        for tolerated in review(&base, &library, &touched)? {
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
        let kept = keep_source(file, &folder.join(SOURCE), source.may_have_secrets())?;
        if let Some(digest) = kept {
            source.info.digest = digest;
        }
        let plan = Plan {
            id,
            base: base.revision(),
            source: source.info.clone(),
            steps,
            rows: tallied(journal.tally()?),
            links: journal.count_links()?,
            differences: differences(&items, &base),
            quarantine: quarantined(&journal)?,
            notes,
            experiences: self.side_by_side(&base, &library, &options.people)?,
        };
        let text = serde_json::to_vec_pretty(&plan).map_err(|error| unusable(&folder, error.into()))?;
        write_whole(&folder.join(PLAN), &text)?;
        Ok(plan)
    }

    /// Returns a plan that was made.
    pub fn upgrade_plan(&self, id: &str) -> Result<Plan, Error> {
        let missing = || Error::from(upgrade::Error::NoSuchPlan(id.to_owned()));
        // An id is a few hexadecimal digits; anything else would lead to another path.
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

    fn side_by_side(
        &self,
        before: &Arc<Snapshot>,
        after: &Arc<Snapshot>,
        people: &[(Option<Name<User>>, String)],
    ) -> Result<Vec<SideBySide>, Error> {
        let rules = self.machinery.rules(&self.store, before)?;
        let mut shown = Vec::new();
        for (login, app) in people {
            let subject = self.subject(login.as_ref(), before.revision())?;
            let experience = |library: &Arc<Snapshot>| {
                let resolved = resolve(library, &subject, app, None, ExplainLevel::None, &*rules, &Asker::default());
                resolved
                    .map_or_else(|error| Answered::Refused(error.to_string()), |experience| Answered::of(&experience))
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
        let gone = || store::Error::NotFound { kind: Kind::User, name: login.to_string() };
        let Person { login, user, direct } = self.store.person(login, revision)?.ok_or_else(gone)?;
        Ok(Subject { login: Some(login.to_string()), user, direct, hypothetical_profile: None })
    }

    /// Returns the steps of a plan that are carried out. Refuses if a component is another one than when the plan was
    /// made.
    fn components_of(&self, plan: &Plan, offered: &dyn Steps) -> Result<Vec<StepInfo>, Error> {
        let planned = plan.steps.iter().filter(|step| step.skipped.is_none());
        let found = planned.map(|step| {
            let info = offered.infos().iter().find(|info| info.name == step.name && info.digest == step.digest);
            info.cloned().ok_or_else(|| upgrade::Error::OtherComponents(step.name.clone()).into())
        });
        found.collect()
    }

    fn upgrade_folder(&self, plan: &str) -> PathBuf {
        self.store.folder().join(UPGRADES).join(plan)
    }
}

/// Returns the first rows of a journal that cannot be used.
fn quarantined(journal: &Journal) -> Result<Vec<PlannedRow>, Error> {
    let rows = journal.accounted(Some(Outcome::Quarantined), 0, LISTED)?.into_iter();
    let row =
        |row: Accounted| PlannedRow { table: row.key.table, id: row.key.id, reason: row.reason.unwrap_or_default() };
    Ok(rows.map(row).collect())
}
