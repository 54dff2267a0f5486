//! The runs of upgrades, and the lease under which a process carries one out.
//!
//! At most one run is unfinished. The process that works on it holds the lease. Each taking of the lease gets a higher
//! token, and only the holder of the newest token can write. A lease that is not renewed expires.

use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};

use crate::domain::Revision;
use crate::domain::revision::Author;

use super::end::End;
use super::{ChangeSet, Committed, Error, Store, lock, rows};

/// How long a lease lasts without being renewed, in seconds.
pub const LEASE_SECONDS: u64 = 15;

/// A run to begin.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// The plan that the run carries out. A plan serves once.
    pub plan: String,
    /// The revision the plan was made for.
    pub base: Revision,
    /// The source that is read, for people.
    pub source: String,
    /// The SHA-256 of the source, in hexadecimal.
    pub digest: String,
    /// The author of the run.
    pub who: String,
    /// The steps, with the components that are called.
    pub steps: Vec<StepRun>,
}

/// A step of a run.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct StepRun {
    /// The name of the step, as `publisher/name`.
    pub name: String,
    /// The version of the step.
    pub version: String,
    /// The SHA-256 of the component, in hexadecimal.
    pub digest: String,
}

/// The state of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = UpgradeState)]
pub enum RunState {
    /// The run is not finished; none of its changes is visible.
    Unfinished,
    /// The changes of the run are visible, as one revision.
    Applied,
    /// The run was dropped before any of its changes was visible.
    Abandoned,
    /// The changes of the run were visible, and were undone.
    RolledBack,
    /// The run carried out nothing: its steps were declared done.
    Baseline,
}

/// The record of a run.
#[derive(Debug, Clone, PartialEq, serde::Serialize, utoipa::ToSchema)]
#[schema(as = Upgrade)]
pub struct Run {
    /// The number of the run.
    pub id: u64,
    /// The plan that the run carries out.
    pub plan: String,
    /// The state of the run.
    pub state: RunState,
    /// The revision the plan was made for.
    pub base: Revision,
    /// The source that is read.
    pub source: String,
    /// The SHA-256 of the source.
    pub digest: String,
    /// The author of the run.
    pub who: String,
    /// When the run began.
    #[schema(value_type = String, format = DateTime)]
    pub started: jiff::Timestamp,
    /// When the run ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended: Option<jiff::Timestamp>,
    /// The revision that made the run visible; the one before if nothing changed.
    pub revision: Option<Revision>,
    /// The revision that undid the run.
    pub undone: Option<Revision>,
    /// Why the run stopped, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// The steps of the run.
    pub steps: Vec<StepRun>,
    /// The lease of the process that works on the run.
    pub lease: Option<Lease>,
}

/// The lease of a process on a run.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[schema(as = UpgradeLease)]
pub struct Lease {
    /// The number of the run.
    #[serde(skip)]
    pub run: u64,
    /// The name of the process that holds the lease.
    pub owner: String,
    /// The token, which grows each time the lease is taken.
    pub token: u64,
    /// Seconds since the lease was last renewed.
    pub seconds: u64,
}

impl RunState {
    /// Returns the name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unfinished => "unfinished",
            Self::Applied => "applied",
            Self::Abandoned => "abandoned",
            Self::RolledBack => "rolled-back",
            Self::Baseline => "baseline",
        }
    }

    fn parse(text: &str) -> Result<Self, Error> {
        let all = [Self::Unfinished, Self::Applied, Self::Abandoned, Self::RolledBack, Self::Baseline];
        let unknown = || Error::Corrupt(format!("`{text}` is no state of an upgrade").into());
        all.into_iter().find(|state| state.as_str() == text).ok_or_else(unknown)
    }
}

impl Store {
    /// Begins a run and takes its lease. Refuses while another run is unfinished, if the plan was used already, and if
    /// the plan is not for the newest revision.
    ///
    /// `is_gone` says whether the owner of a lease no longer exists.
    pub fn begin_run(&self, run: &NewRun, owner: &str, is_gone: impl Fn(&str) -> bool) -> Result<Lease, Error> {
        self.as_writer(|connection| {
            let newest = rows::newest(connection)?;
            if let Some(unfinished) = find(connection, "state = 'unfinished'", [])?.pop() {
                return Err(match unfinished.lease {
                    Some(Lease { run, owner, seconds, .. }) if seconds < LEASE_SECONDS && !is_gone(&owner) => {
                        Error::LeaseHeld { run, owner, seconds }
                    }
                    _ => Error::RunUnfinished { run: unfinished.id },
                });
            }
            if let Some(used) = find(connection, "plan = ?1", [&run.plan])?.pop() {
                return Err(Error::PlanUsed { plan: run.plan.clone(), run: used.id });
            }
            if newest != run.base {
                return Err(Error::BaseMoved { base: run.base, newest });
            }
            let id = insert(connection, run, RunState::Unfinished)?;
            take(connection, id, owner)
        })
    }

    /// Declares steps done without carrying them out, for an environment that has their content already.
    pub fn baseline(&self, run: &NewRun) -> Result<u64, Error> {
        self.as_writer(|connection| {
            let id = insert(connection, run, RunState::Baseline)?;
            connection.execute("UPDATE upgrade_run SET ended = started WHERE id = ?1", [id])?;
            Ok(id)
        })
    }

    /// Takes the lease of an unfinished run. Refuses while another process holds it, unless `is_gone` says that the
    /// process no longer exists.
    pub fn take_lease(&self, run: u64, owner: &str, is_gone: impl Fn(&str) -> bool) -> Result<Lease, Error> {
        self.as_writer(|connection| {
            unfinished(connection, run, "carried on")?;
            if let Some(held) = lease(connection)?
                && held.seconds < LEASE_SECONDS
                && !is_gone(&held.owner)
            {
                return Err(Error::LeaseHeld { run: held.run, owner: held.owner, seconds: held.seconds });
            }
            take(connection, run, owner)
        })
    }

    /// Renews a lease.
    pub fn renew(&self, lease: &Lease) -> Result<(), Error> {
        self.as_writer(|connection| {
            hold(connection, lease)?;
            connection.execute("UPDATE upgrade_lease SET beat = ?1", [now()])?;
            Ok(())
        })
    }

    /// Ends a lease now. Its holder has stopped working on the run because of `failure`.
    pub fn let_go(&self, lease: &Lease, failure: &str) -> Result<(), Error> {
        self.as_writer(|connection| {
            hold(connection, lease)?;
            connection.execute("UPDATE upgrade_run SET failure = ?2 WHERE id = ?1", params![lease.run, failure])?;
            let over = i64::try_from(LEASE_SECONDS * 1000).unwrap_or_default();
            connection.execute("UPDATE upgrade_lease SET beat = ?1", [now() - over])?;
            Ok(())
        })
    }

    /// Closes the run of a lease because of `failure`. Refuses if the lease was lost: another process has the run now.
    pub fn give_up(&self, lease: &Lease, failure: &str) -> Result<(), Error> {
        self.as_writer(|connection| {
            hold(connection, lease)?;
            abandon(connection, lease.run, Some(failure))
        })
    }

    /// Takes back the declaration that steps are done.
    pub fn revoke_baseline(&self, run: u64) -> Result<(), Error> {
        self.as_writer(|connection| {
            in_state(connection, run, RunState::Baseline, "taken back")?;
            connection.execute("UPDATE upgrade_run SET state = 'rolled-back' WHERE id = ?1", [run])?;
            Ok(())
        })
    }

    /// Makes the changes of a run visible: one revision, or none if nothing changes. Refuses if another change was
    /// written since the plan was made, or if the lease was lost. Keeps the text that `report` returns with the run.
    pub fn finish_run(
        &self,
        lease: &Lease,
        changes: ChangeSet,
        author: &Author,
        report: &dyn Fn(&Committed) -> String,
    ) -> Result<Committed, Error> {
        self.attempt(
            changes,
            author,
            End::Keep(&|connection, committed| {
                hold(connection, lease)?;
                let run = unfinished(connection, lease.run, "finished")?;
                let before = if committed.changed.is_empty() { committed.revision.0 } else { committed.revision.0 - 1 };
                if before != run.base.0 {
                    return Err(Error::BaseMoved { base: run.base, newest: Revision(before) });
                }
                connection.execute(
                    "UPDATE upgrade_run SET state = 'applied', failure = NULL, ended = ?2, revision = ?3, report = ?4 WHERE id = ?1",
                    params![run.id, jiff::Timestamp::now().to_string(), committed.revision.0, report(committed)],
                )?;
                release(connection)
            }),
        )
    }

    /// Undoes a run that was applied, as one revision. The text that `report` returns replaces the report that is kept
    /// with the run.
    pub fn undo_run(
        &self,
        run: u64,
        changes: ChangeSet,
        author: &Author,
        report: &dyn Fn(&Committed) -> String,
    ) -> Result<Committed, Error> {
        self.attempt(
            changes,
            author,
            End::Keep(&|connection, committed| {
                in_state(connection, run, RunState::Applied, "rolled back")?;
                let set = "UPDATE upgrade_run SET state = 'rolled-back', undone = ?2, report = ?3 WHERE id = ?1";
                connection.execute(set, params![run, committed.revision.0, report(committed)])?;
                Ok(())
            }),
        )
    }

    /// Abandons an unfinished run. A process that still works on it cannot write any more.
    pub fn abandon_run(&self, run: u64) -> Result<Run, Error> {
        self.as_writer(|connection| {
            let dropped = unfinished(connection, run, "abandoned")?;
            abandon(connection, run, dropped.failure.as_deref())?;
            Ok(dropped)
        })
    }

    /// Returns all runs, newest first.
    pub fn runs(&self) -> Result<Vec<Run>, Error> {
        self.read(|connection| find(connection, "1", []))
    }

    /// Returns one run, and its report if it has ended.
    pub fn run(&self, id: u64) -> Result<(Run, Option<String>), Error> {
        self.read(|connection| {
            let run = find(connection, "id = ?1", [id])?.pop().ok_or(Error::NoSuchRun { run: id })?;
            let report =
                connection.query_row("SELECT report FROM upgrade_run WHERE id = ?1", [id], |row| row.get(0))?;
            Ok((run, report))
        })
    }

    /// Runs `work` in one transaction that writes no revision.
    pub(super) fn as_writer<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Error>) -> Result<T, Error> {
        let written = || {
            let mut writer = lock(&self.writer);
            let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = work(&transaction)?;
            transaction.commit()?;
            Ok(done)
        };
        written().map_err(|error: Error| error.in_folder(self.folder()))
    }
}

fn insert(connection: &Connection, run: &NewRun, state: RunState) -> Result<u64, Error> {
    connection.execute(
        "INSERT INTO upgrade_run (plan, state, base, source, digest, who, started) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            run.plan,
            state.as_str(),
            run.base.0,
            run.source,
            run.digest,
            run.who,
            jiff::Timestamp::now().to_string()
        ],
    )?;
    let id = u64::try_from(connection.last_insert_rowid()).unwrap_or_default();
    for step in &run.steps {
        connection.execute(
            "INSERT INTO upgrade_step (run, name, version, digest) VALUES (?1, ?2, ?3, ?4)",
            params![id, step.name, step.version, step.digest],
        )?;
    }
    Ok(id)
}

/// Returns milliseconds since 1970.
fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

fn take(connection: &Connection, run: u64, owner: &str) -> Result<Lease, Error> {
    let set = "UPDATE upgrade_lease SET run = ?1, owner = ?2, token = token + 1, beat = ?3";
    connection.execute(set, params![run, owner, now()])?;
    lease(connection)?.ok_or(Error::LeaseLost { run })
}

fn release(connection: &Connection) -> Result<(), Error> {
    connection.execute("UPDATE upgrade_lease SET run = NULL, owner = '', token = token + 1", [])?;
    Ok(())
}

fn abandon(connection: &Connection, run: u64, failure: Option<&str>) -> Result<(), Error> {
    let set = "UPDATE upgrade_run SET state = 'abandoned', ended = ?2, failure = ?3 WHERE id = ?1";
    connection.execute(set, params![run, jiff::Timestamp::now().to_string(), failure])?;
    release(connection)
}

/// Refuses a lease whose token is not the newest.
fn hold(connection: &Connection, held: &Lease) -> Result<(), Error> {
    match lease(connection)? {
        Some(newest) if newest.token == held.token && newest.run == held.run => Ok(()),
        _ => Err(Error::LeaseLost { run: held.run }),
    }
}

fn lease(connection: &Connection) -> Result<Option<Lease>, Error> {
    let read = |row: &Row<'_>| {
        let beat: i64 = row.get(3)?;
        let seconds = u64::try_from((now() - beat) / 1000).unwrap_or_default();
        Ok(Lease { run: row.get(0)?, owner: row.get(1)?, token: row.get(2)?, seconds })
    };
    let held = "SELECT run, owner, token, beat FROM upgrade_lease WHERE run IS NOT NULL";
    Ok(connection.query_row(held, [], read).optional()?)
}

fn unfinished(connection: &Connection, run: u64, wanted: &'static str) -> Result<Run, Error> {
    in_state(connection, run, RunState::Unfinished, wanted)
}

fn in_state(connection: &Connection, run: u64, state: RunState, wanted: &'static str) -> Result<Run, Error> {
    let found = find(connection, "id = ?1", [run])?.pop().ok_or(Error::NoSuchRun { run })?;
    if found.state == state { Ok(found) } else { Err(Error::WrongState { run, state: found.state.as_str(), wanted }) }
}

fn find(connection: &Connection, condition: &str, parameters: impl rusqlite::Params) -> Result<Vec<Run>, Error> {
    let held = lease(connection)?;
    let mut find = connection.prepare_cached(&format!(
        "SELECT id, plan, state, base, source, digest, who, started, ended, revision, undone, failure FROM upgrade_run
          WHERE {condition} ORDER BY id DESC"
    ))?;
    let mut rows = find.query(parameters)?;
    let mut runs = Vec::new();
    let time = |text: String| text.parse().map_err(|error: jiff::Error| Error::Corrupt(error.into()));
    while let Some(row) = rows.next()? {
        let id = row.get(0)?;
        runs.push(Run {
            id,
            plan: row.get(1)?,
            state: RunState::parse(&row.get::<_, String>(2)?)?,
            base: Revision(row.get(3)?),
            source: row.get(4)?,
            digest: row.get(5)?,
            who: row.get(6)?,
            started: time(row.get(7)?)?,
            ended: row.get::<_, Option<String>>(8)?.map(time).transpose()?,
            revision: row.get::<_, Option<u64>>(9)?.map(Revision),
            undone: row.get::<_, Option<u64>>(10)?.map(Revision),
            failure: row.get(11)?,
            steps: steps(connection, id)?,
            lease: held.clone().filter(|lease| lease.run == id),
        });
    }
    Ok(runs)
}

fn steps(connection: &Connection, run: u64) -> Result<Vec<StepRun>, Error> {
    let mut find = connection.prepare_cached("SELECT name, version, digest FROM upgrade_step WHERE run = ?1")?;
    let read = |row: &Row<'_>| Ok(StepRun { name: row.get(0)?, version: row.get(1)?, digest: row.get(2)? });
    let steps = find.query_map([run], read)?.collect::<Result<_, _>>()?;
    Ok(steps)
}
