//! `loadout plugin bench`: what the cases of a plugin cost, and whether that is within a budget.
//!
//! Fails for figures that are the same on every machine. Times are printed and decide nothing.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::cli::failure::Failure;
use crate::cli::{file, print};
use crate::workbench::{Budget, Cost};

use super::subject::{Subject, ask};

/// The budget of a plugin, in its folder.
const BUDGET: &str = "bench.toml";

/// Measure what the cases of a plugin cost (fuel, memory, calls to the host, size of the answer, time), and fail over a
/// budget.
#[derive(Debug, clap::Args)]
pub(super) struct Bench {
    #[command(flatten)]
    subject: Subject,
    /// The budget; `bench.toml` in the plugin's folder without it, if that is there.
    #[arg(long, value_name = "FILE.toml")]
    budget: Option<PathBuf>,
    /// Write a budget that today's figures suit, with a quarter of head-room. Limits of single cases stay as they are.
    #[arg(long)]
    write_budget: bool,
    /// How often each case is asked for its times.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    calls: u16,
    /// Print every cost as one line of JSON.
    #[arg(long)]
    json: bool,
}

/// What one case costs.
#[derive(Debug, Serialize)]
struct Line<'a> {
    file: String,
    case: &'a str,
    #[serde(flatten)]
    cost: Cost,
}

impl Bench {
    pub(super) fn run(self) -> Result<(), Failure> {
        let path = self.budget.clone().unwrap_or_else(|| self.subject.folder().join(BUDGET));
        let budget = self.allowed(&path)?;
        let files = self.subject.cases()?;
        let bench = self.subject.bench(self.calls)?;
        if !self.json {
            print(HEAD)?;
        }
        let (mut costs, mut excesses, mut known) = (Vec::new(), Vec::new(), Vec::new());
        for (path, file) in &files {
            for case in &file.cases {
                let cost = bench.cost(|bench| ask(bench, path, file, case))?;
                let line = Line { file: name(path), case: &case.name, cost };
                print(&if self.json { serde_json::to_string(&line).map_err(Failure::of)? } else { text_of(&line) })?;
                excesses.extend(budget.excesses(&case.name, &cost));
                costs.push((case.name.as_str(), cost));
                known.push(case.name.as_str());
            }
        }
        if let Some(case) = budget.nowhere(&known).first() {
            return Err(Failure::found(format!(
                "`{}` limits the case `{case}`, and there is none of that name: rename it there, too",
                path.display()
            )));
        }
        if self.write_budget {
            let text = budget.around(&costs).to_text().map_err(Failure::of)?;
            let unwritable = |error| Failure::because(format!("`{}` cannot be written", path.display()), error);
            file::replace(&path, text.as_bytes()).map_err(unwritable)?;
            return if self.json { Ok(()) } else { print(&format!("wrote `{}`", path.display())) };
        }
        if excesses.is_empty() {
            return Ok(());
        }
        let told: Vec<String> = excesses.iter().map(ToString::to_string).collect();
        Err(Failure::found(told.join("\n       ")))
    }

    /// Reads the budget of the cases. Without a file of budgets, the cases may cost anything.
    fn allowed(&self, path: &Path) -> Result<Budget, Failure> {
        if (self.write_budget || self.budget.is_none()) && !path.exists() {
            return Ok(Budget::default());
        }
        let unfit = |error| Failure::because(format!("`{}`", path.display()), error);
        let text = String::from_utf8(file::read(path)?)
            .map_err(|error| Failure::because(format!("`{}` is no text", path.display()), error))?;
        Budget::parse(&text).map_err(unfit)
    }
}

const HEAD: &str = "      fuel  memory KiB  host calls  handed over  answer  median µs   p99 µs  case";

fn text_of(line: &Line<'_>) -> String {
    let Cost { fuel, peak_memory, host_calls, handed_over, answer_bytes, median_micros, p99_micros } = line.cost;
    let memory = peak_memory.div_ceil(1024);
    format!(
        "{fuel:>10}  {memory:>10}  {host_calls:>10}  {handed_over:>11}  {answer_bytes:>6}  {median_micros:>9}  {p99_micros:>7}  {}: {}",
        line.file, line.case
    )
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().display().to_string()
}
