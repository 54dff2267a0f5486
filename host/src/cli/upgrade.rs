//! `loadout upgrade`: an old environment becomes configuration, and can be undone.

mod bar;
mod show;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Subcommand;

use crate::domain::revision::Author;
use crate::domain::{Name, User};
use crate::service::{PlanOptions, UpgradeStatus};
use crate::store::journal::Outcome;
use crate::upgrade::Changed;

use super::ending::{Allowance, Ending, done};
use super::failure::Failure;
use super::log::{self, LogFormat};
use super::{Data, print};

use bar::Bar;

/// Upgrade from an old environment: plan, apply, and undo.
#[derive(Debug, clap::Args)]
pub(super) struct Upgrade {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Plan(Plan),
    Apply(Apply),
    Resume(Resume),
    Status(Status),
    Rows(Rows),
    Abandon(Abandon),
    Rollback(Rollback),
    History(History),
    Baseline(Baseline),
}

/// Say what an upgrade would do. The database is opened read-only.
///
/// Ends with exit code 3 if rows would be in quarantine.
#[derive(Debug, clap::Args)]
struct Plan {
    /// The zip file that the Configuration Migration tool, the export of a solution, or `loadout export` made.
    #[arg(value_name = "FILE.zip")]
    file: PathBuf,
    #[command(flatten)]
    data: Data,
    /// The prefix of names that have none, 3 to 8 letters or digits.
    #[arg(long, value_parser = prefix)]
    prefix: Option<String>,
    /// What to do about steps that changed since they were carried out.
    #[arg(long, value_enum)]
    changed: Option<Choice>,
    /// Show the experience of this person before and after; once for each, in the app given with `--app`.
    #[arg(long = "user", value_name = "LOGIN", requires = "app")]
    users: Vec<String>,
    /// The app whose experiences are shown; without `--user`, those of a person without roles.
    #[arg(long)]
    app: Option<String>,
    /// Print the plan as JSON, the same as over HTTP.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    allowance: Allowance,
}

/// What to do about a step that changed.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Choice {
    /// Carry it out again.
    Run,
    /// Leave what the earlier one did.
    Skip,
}

/// Carry out a plan. It serves once.
///
/// Ends with exit code 3 if rows are in quarantine.
#[derive(Debug, clap::Args)]
struct Apply {
    /// What the plan is known by; `plan` prints it.
    plan: String,
    #[command(flatten)]
    data: Data,
    /// Print what came of it as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    allowance: Allowance,
}

/// Carry on an upgrade that was interrupted.
///
/// Ends with exit code 3 if rows are in quarantine.
#[derive(Debug, clap::Args)]
struct Resume {
    /// The upgrade; without it, the one that is unfinished.
    run: Option<u64>,
    #[command(flatten)]
    data: Data,
    /// Print what came of it as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    allowance: Allowance,
}

/// Show how far an upgrade is, or what came of it.
#[derive(Debug, clap::Args)]
struct Status {
    /// The upgrade; without it, the newest.
    run: Option<u64>,
    #[command(flatten)]
    data: Data,
    /// Print it as JSON, the same as over HTTP.
    #[arg(long)]
    json: bool,
}

/// List the rows an upgrade read, and what became of each.
#[derive(Debug, clap::Args)]
struct Rows {
    /// The upgrade.
    run: u64,
    #[command(flatten)]
    data: Data,
    /// Only rows that ended so.
    #[arg(long, value_parser = ["migrated", "merged", "already-there", "quarantined", "kept"])]
    outcome: Option<String>,
}

/// Drop an upgrade that is not finished. Nothing of it was visible.
#[derive(Debug, clap::Args)]
struct Abandon {
    /// The upgrade.
    run: u64,
    #[command(flatten)]
    data: Data,
}

/// Undo an upgrade that was applied, unless something later depends on it.
#[derive(Debug, clap::Args)]
struct Rollback {
    /// The upgrade.
    run: u64,
    #[command(flatten)]
    data: Data,
}

/// List all upgrades, newest first.
#[derive(Debug, clap::Args)]
struct History {
    #[command(flatten)]
    data: Data,
    /// Print them as JSON, the same as over HTTP.
    #[arg(long)]
    json: bool,
}

/// Declare steps to be done, for an environment that has what they would bring.
#[derive(Debug, clap::Args)]
struct Baseline {
    /// The steps, as `publisher/name`; without any, all.
    steps: Vec<String>,
    #[command(flatten)]
    data: Data,
}

/// Who does what is typed here.
const WHO: &str = "admin";

impl Upgrade {
    pub(super) fn run(self) -> Result<Ending, Failure> {
        log::start(LogFormat::Text, tracing::Level::WARN);
        match self.command {
            Command::Plan(plan) => plan.run(),
            Command::Apply(apply) => apply.run(),
            Command::Resume(resume) => resume.run(),
            Command::Status(status) => done(status.run()),
            Command::Rows(rows) => done(rows.run()),
            Command::Abandon(Abandon { run, data }) => {
                let dropped = data.open_existing()?.abandon_upgrade(run, &Author::new(WHO, "")).map_err(Failure::of)?;
                done(print(&format!(
                    "upgrade {} from {} is abandoned; nothing of it was visible",
                    dropped.id, dropped.source
                )))
            }
            Command::Rollback(Rollback { run, data }) => {
                let author = Author::new(WHO, format!("roll-back of upgrade {run}"));
                let service = data.open_existing()?;
                let undone = service.roll_back_upgrade(run, &author).map_err(Failure::of)?;
                done(print(&show::rolled_back(&undone, &service.upgrade(run).map_err(Failure::of)?.notes)))
            }
            Command::History(History { data, json }) => {
                let runs = data.look()?.upgrades().map_err(Failure::of)?;
                done(if json { print_json(&runs) } else { print(&show::history(&runs)) })
            }
            Command::Baseline(Baseline { steps, data }) => {
                let run = data.open_existing()?.baseline(&steps, WHO).map_err(Failure::of)?;
                let steps: Vec<&str> = run.steps.iter().map(|step| step.name.as_str()).collect();
                done(print(&format!("declared to be done: {}", steps.join(", "))))
            }
        }
    }
}

impl Plan {
    fn run(self) -> Result<Ending, Failure> {
        let shown = self.file.display().to_string();
        if !self.file.is_file() {
            return Err(Failure::usage(format!("there is no file `{shown}`: name the zip file to upgrade from")));
        }
        let people = match (self.app, self.users.is_empty()) {
            (None, _) => Vec::new(),
            (Some(app), true) => vec![(None, app)],
            (Some(app), false) => {
                let logins = self.users.iter().map(|login| login.parse::<Name<User>>());
                let logins = logins.map(|login| login.map(|login| (Some(login), app.clone())));
                logins.collect::<Result<_, _>>().map_err(|error| Failure::usage(error.to_string()))?
            }
        };
        let changed = self.changed.map(|choice| match choice {
            Choice::Run => Changed::Run,
            Choice::Skip => Changed::Skip,
        });
        let called = self.file.file_name().map_or(shown.clone(), |name| name.to_string_lossy().into_owned());
        let service = self.data.look()?;
        let bar = Bar::new();
        let options = PlanOptions { prefix: self.prefix, changed, people };
        let plan = service.plan_upgrade(&self.file, &called, &options, &|progress| bar.show(progress));
        bar.end();
        let plan = plan.map_err(|error| Failure::because(format!("`{shown}` cannot be planned"), error))?;
        print_plan(&plan, self.json)?;
        Ok(self.allowance.end(quarantined(&plan.rows)))
    }
}

impl Apply {
    fn run(self) -> Result<Ending, Failure> {
        let service = self.data.open_existing()?;
        let lease = service.begin_upgrade(&self.plan, WHO).map_err(Failure::of)?;
        carry(&service, &lease, self.json, self.allowance)
    }
}

impl Resume {
    fn run(self) -> Result<Ending, Failure> {
        let service = self.data.open_existing()?;
        let lease = service.take_upgrade(self.run, &Author::new(WHO, "")).map_err(Failure::of)?;
        carry(&service, &lease, self.json, self.allowance)
    }
}

impl Status {
    fn run(self) -> Result<(), Failure> {
        let service = self.data.look()?;
        let newest = || service.upgrades().map(|runs| runs.first().map(|run| run.id));
        let Some(run) = self.run.map_or_else(newest, |run| Ok(Some(run))).map_err(Failure::of)? else {
            let nothing = "there was no upgrade yet: make a plan with `loadout upgrade plan FILE.zip`";
            return if self.json { print("null") } else { print(nothing) };
        };
        let status = service.upgrade(run).map_err(Failure::of)?;
        if self.json { print_json(&status) } else { print(&show::status(&status)) }
    }
}

impl Rows {
    fn run(self) -> Result<(), Failure> {
        const PAGE: usize = 1_000;
        let service = self.data.look()?;
        let outcome = self.outcome.as_deref().and_then(Outcome::parse);
        let mut after = 0;
        loop {
            let rows = service.upgrade_rows(self.run, outcome, after, PAGE).map_err(Failure::of)?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.ordinal;
            rows.iter().try_for_each(|row| print(&show::row(row)))?;
        }
    }
}

/// Brings a whole package along, for `loadout import`: planned and carried out in one go, or only planned.
pub(super) fn bring(
    data: &Data,
    file: &Path,
    dry_run: bool,
    json: bool,
    allowance: Allowance,
) -> Result<Ending, Failure> {
    let service = if dry_run { data.look()? } else { data.open()? };
    let called = file.file_name().unwrap_or_default().to_string_lossy();
    let bar = Bar::new();
    let plan = service.plan_upgrade(file, &called, &PlanOptions::default(), &|progress| bar.show(progress));
    bar.end();
    let plan = plan.map_err(|error| Failure::because(format!("`{}` is not imported", file.display()), error))?;
    if dry_run {
        print_plan(&plan, json)?;
        return Ok(allowance.end(quarantined(&plan.rows)));
    }
    let lease = service.begin_upgrade(&plan.id, WHO).map_err(Failure::of)?;
    carry(&service, &lease, json, allowance)
}

fn carry(
    service: &crate::service::Service,
    lease: &crate::store::Lease,
    json: bool,
    allowance: Allowance,
) -> Result<Ending, Failure> {
    let bar = Bar::new();
    let done = service.carry_upgrade(lease, &|progress| bar.show(progress));
    bar.end();
    let status: UpgradeStatus = done.map_err(Failure::of)?;
    bar.say_speed(status.rows.values().flat_map(|outcomes| outcomes.values()).sum());
    if json { print_json(&status) } else { print(&show::status(&status)) }?;
    Ok(allowance.end(quarantined(&status.rows)))
}

/// How many rows of all tables are in quarantine.
fn quarantined(rows: &BTreeMap<String, BTreeMap<String, u64>>) -> u64 {
    rows.values().filter_map(|outcomes| outcomes.get(Outcome::Quarantined.as_str())).sum()
}

fn print_plan(plan: &crate::upgrade::Plan, json: bool) -> Result<(), Failure> {
    if json { print_json(plan) } else { print(&show::plan(plan)) }
}

fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    print(&serde_json::to_string(value).map_err(Failure::of)?)
}

fn prefix(typed: &str) -> Result<String, String> {
    let fits = (3..=8).contains(&typed.len()) && typed.chars().all(|c| c.is_ascii_alphanumeric());
    if fits { Ok(typed.to_owned()) } else { Err("a prefix has 3 to 8 letters or digits, such as `contoso`".to_owned()) }
}
