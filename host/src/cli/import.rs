//! `loadout import`: an exported solution into a data folder, and the report of it. A Configuration Migration package
//! is upgraded from.

use std::fs;
use std::path::PathBuf;

use crate::domain::access::Caller;
use crate::domain::revision::Author;
use crate::import::{Component, Counts, OnConflict, Outcome};
use crate::service::{ImportOptions, Imported};

use crate::upgrade::is_package;

use super::ending::{Allowance, Ending};
use super::failure::Failure;
use super::log::{self, LogFormat};
use super::visible::one_line;
use super::{Data, print, upgrade};

/// Import an exported solution, or a Configuration Migration package, and print what became of every part of it.
///
/// Ends with exit code 3 if rows are in quarantine.
#[derive(Debug, clap::Args)]
pub(super) struct Import {
    /// The zip file that the export made.
    #[arg(value_name = "FILE.zip")]
    file: PathBuf,
    #[command(flatten)]
    data: Data,
    /// Write nothing; only say what the import would do.
    #[arg(long)]
    dry_run: bool,
    /// Print the report as JSON, the same as over HTTP.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    allowance: Allowance,
    /// Which custom default profile and settings of the environment stay, where a solution has others than are here;
    /// `take` without it.
    #[arg(long, value_enum)]
    on_conflict: Option<Choice>,
}

/// What becomes of what there is one of.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Choice {
    /// What is here stays.
    Keep,
    /// What the solution has takes its place.
    Take,
    /// Nothing is imported.
    Fail,
}

impl Import {
    pub(super) fn run(self) -> Result<Ending, Failure> {
        log::start(LogFormat::Text, tracing::Level::WARN);
        if is_package(&self.file) {
            if self.on_conflict.is_some() {
                let sentence = "a Configuration Migration package has neither a default profile nor settings of the environment: leave `--on-conflict` out";
                return Err(Failure::usage(sentence));
            }
            return upgrade::bring(&self.data, &self.file, self.dry_run, self.json, self.allowance);
        }
        let shown = self.file.display();
        let zip = fs::read(&self.file).map_err(|error| Failure::because(format!("`{shown}` cannot be read"), error))?;
        let author = Author::new("admin", format!("import of {shown}"));
        let service = if self.dry_run { self.data.open_existing()? } else { self.data.open()? };
        let on_conflict = match self.on_conflict {
            Some(Choice::Keep) => OnConflict::Keep,
            Some(Choice::Take) | None => OnConflict::Take,
            Some(Choice::Fail) => OnConflict::Fail,
        };
        let options = ImportOptions { dry_run: self.dry_run, on_conflict };
        let imported = service.import_as(&Caller::admin(), &zip, &options, &author);
        let imported = imported.map_err(|error| Failure::because(format!("`{shown}` is not imported"), error))?;
        let text = if self.json { serde_json::to_string(&imported).map_err(Failure::of)? } else { table(&imported) };
        print(&text)?;
        Ok(self.allowance.end(imported.report.counts.quarantined as u64))
    }
}

/// The report for people: every component with what became of it, what is left out, what to look at, and the sum.
fn table(imported: &Imported) -> String {
    let report = &imported.report;
    let mut components: Vec<(String, String, &Component)> = report.components.iter().map(columns).collect();
    components.sort_by(|a, b| (&a.0, &a.1, &a.2.source_name).cmp(&(&b.0, &b.1, &b.2.source_name)));
    let width = |column: fn(&(String, String, &Component)) -> usize| components.iter().map(column).max().unwrap_or(0);
    let (first, second) = (width(|row| row.0.chars().count()), width(|row| row.1.chars().count()));
    let mut lines = Vec::new();
    for (outcome, item, component) in &components {
        lines.push(format!("{outcome:first$}  {item:second$}  {} {}", component.table, component.source_name));
        lines.extend(component.notes.iter().map(|note| format!("{:first$}  - {note}", "")));
    }
    for link in &report.links {
        if let Some(reason) = &link.reason {
            lines.push(format!("left out: {} {}: {reason}", link.table, link.ends.join(" ")));
        }
    }
    for missing in report.dependencies.iter().filter(|dependency| !dependency.satisfied) {
        let needed = (&missing.required_table, &missing.required_name, &missing.dependent_name);
        lines.push(format!("missing: {} {}, needed by {}", needed.0, needed.1, needed.2));
    }
    for warning in &report.warnings {
        lines.push(format!("warning: {} at {}: {}", warning.code, warning.place, warning.message));
    }
    let mut lines: Vec<_> = lines.iter().map(|line| one_line(line)).collect();
    let sum = sum(imported);
    lines.push(sum.into());
    lines.join("\n")
}

fn columns(component: &Component) -> (String, String, &Component) {
    let item = match (&component.collection, &component.name) {
        (Some(collection), Some(name)) => format!("{collection}/{name}"),
        _ => "-".to_owned(),
    };
    (word(component.outcome).to_owned(), item, component)
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Created => "created",
        Outcome::Updated => "updated",
        Outcome::Unchanged => "unchanged",
        Outcome::Merged => "merged",
        Outcome::Skipped => "skipped",
        Outcome::Quarantined => "quarantined",
    }
}

fn sum(imported: &Imported) -> String {
    let Counts { created, updated, unchanged, merged, skipped, quarantined, links, links_left_out, warnings, .. } =
        imported.report.counts;
    let solution = &imported.report.solution;
    let done = if imported.dry_run { "nothing was written, this would be revision" } else { "now at revision" };
    format!(
        "{} {}: {created} created, {updated} updated, {unchanged} unchanged, {merged} merged, {skipped} skipped, \
         {quarantined} quarantined; {links} links, {links_left_out} left out; {warnings} warnings\n{done} {}",
        one_line(&solution.unique_name),
        one_line(&solution.version),
        imported.revision
    )
}
