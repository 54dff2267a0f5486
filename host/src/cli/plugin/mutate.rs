//! `loadout plugin mutate`: the rules of a plugin that no case holds.
//!
//! Changes one condition after the other, and asks all cases again. If no outcome differs, no case would notice that
//! this part of the rule is broken.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::cli::failure::Failure;
use crate::cli::print;
use crate::workbench::Mutated;
use crate::workbench::{CaseFile, Condition, Workbench};

use super::project::Project;
use super::subject::{Subject, ask};

/// Break the conditions of a plugin one by one, and name those that no case notices.
#[derive(Debug, clap::Args)]
pub(super) struct Mutate {
    #[command(flatten)]
    subject: Subject,
    /// The folder its sources lie in; the plugin's own without it.
    #[arg(long, value_name = "DIR")]
    sources: Option<PathBuf>,
    /// Most conditions that are tried. Of more, some are left out throughout.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u16).range(1..))]
    most: u16,
    /// Fail if any condition is not held by a case.
    #[arg(long)]
    deny_survivors: bool,
    /// Fail if fewer of a hundred conditions are held by a case.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    at_least: Option<u8>,
    /// Print every condition as one line of JSON.
    #[arg(long)]
    json: bool,
}

/// What became of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Fate {
    /// A case comes out otherwise without it.
    Held,
    /// No case does, though some get there.
    Unnoticed,
    /// No case gets there.
    Unreached,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    file: &'a str,
    line: u32,
    column: u32,
    text: &'a str,
    change: &'static str,
    fate: Fate,
}

/// The cases of a plugin, asked of its mutants.
struct Trial<'a> {
    bench: &'a Workbench,
    component: &'a [u8],
    files: Vec<(PathBuf, CaseFile)>,
}

impl Mutate {
    pub(super) fn run(self) -> Result<(), Failure> {
        let files = self.subject.cases()?;
        let (path, component) = match self.subject.file() {
            Some(_) => self.subject.component()?,
            None => {
                let built = Project::open(self.subject.folder())?.build_with_lines()?;
                (built.path, built.component)
            }
        };
        let refused = |error| Failure::because(format!("`{}` is refused", path.display()), error);
        let bench = Workbench::open(&component, None).map_err(refused)?;
        let trial = Trial { bench: &bench, component: &component, files };
        if !trial.is_as_expected(&bench)? {
            return Err(Failure::found(
                "a case has another outcome than it expects: mend it first, `loadout plugin test` names it",
            ));
        }
        let sources = self.sources.as_deref().unwrap_or(self.subject.folder());
        let all = Condition::all(&component, sources).map_err(Failure::of)?;
        if all.is_empty() {
            return Err(nothing(&path, sources, self.subject.file().is_some()));
        }
        let tried = spread(&all, usize::from(self.most));
        let (mut held, mut unnoticed, mut unreached) = (0, 0, 0);
        // Two conditions in one place, such as a comparison and what it decides, are one sentence where nothing gets
        // there.
        let mut said = None;
        for condition in &tried {
            let fate = trial.fate(condition)?;
            match fate {
                Fate::Held => held += 1,
                Fate::Unnoticed => unnoticed += 1,
                Fate::Unreached => unreached += 1,
            }
            if self.json {
                let Condition { file, line, column, text, .. } = condition;
                let change = name(condition.change);
                let line = Line { file, line: *line, column: *column, text, change, fate };
                print(&serde_json::to_string(&line).map_err(Failure::of)?)?;
            } else if fate != Fate::Held {
                let sentence = Some(told(condition, fate));
                if sentence != said {
                    print(sentence.as_deref().unwrap_or_default())?;
                }
                said = sentence;
            }
        }
        let summary = format!(
            "{held} of {} conditions are held by a case; without notice: {unnoticed}, never reached: {unreached}",
            tried.len()
        );
        let left_out = all.len() - tried.len();
        let left_out =
            if left_out == 0 { String::new() } else { format!(" ({left_out} were left out, `--most` has more)") };
        if !self.json {
            print(&format!("{summary}{left_out}"))?;
        }
        let is_enough = self.at_least.is_none_or(|percent| held * 100 >= usize::from(percent) * tried.len());
        if is_enough && !(self.deny_survivors && held < tried.len()) {
            return Ok(());
        }
        Err(Failure::found(summary))
    }
}

impl Trial<'_> {
    /// Whether every case comes out as it expects.
    fn is_as_expected(&self, bench: &Workbench) -> Result<bool, Failure> {
        for (path, file) in &self.files {
            for case in &file.cases {
                if case.expect.as_ref() != Some(&ask(bench, path, file, case)?.outcome) {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn fate(&self, condition: &Condition) -> Result<Fate, Failure> {
        let survives = |mutant: &[u8]| self.is_as_expected(&self.bench.beside(mutant).map_err(Failure::of)?);
        for mutation in &condition.mutations {
            if !survives(&mutation.applied(self.component))? {
                return Ok(Fate::Held);
            }
        }
        for mutation in &condition.mutations {
            if !survives(&mutation.ended(self.component))? {
                return Ok(Fate::Unnoticed);
            }
        }
        Ok(Fate::Unreached)
    }
}

/// So many of all conditions at most, from beginning to end.
fn spread(all: &[Condition], most: usize) -> Vec<Condition> {
    let count = all.len().min(most);
    (0..count).filter_map(|at| all.get(at * all.len() / count)).cloned().collect()
}

fn nothing(path: &Path, sources: &Path, is_given: bool) -> Failure {
    let next = if is_given {
        "name their folder with `--sources`, or leave `--component` out, so that it is built with line tables"
    } else {
        "there is nothing to try"
    };
    Failure::found(format!("`{}` has no condition of sources in `{}`: {next}", path.display(), sources.display()))
}

fn told(condition: &Condition, fate: Fate) -> String {
    let Condition { file, line, column, text, change, .. } = condition;
    let what = match (fate, change) {
        (Fate::Unreached, _) => "no case gets here",
        (_, Mutated::TurnedRound) => "no case notices if this condition is turned round",
        (_, Mutated::AtItsBoundary) => "no case notices if equal values are compared otherwise",
        (_, Mutated::NextArm) => "no case notices if the next arm is taken",
    };
    format!("{file}:{line}:{column}: {what}: `{text}`")
}

fn name(change: Mutated) -> &'static str {
    match change {
        Mutated::TurnedRound => "turned-round",
        Mutated::AtItsBoundary => "at-its-boundary",
        Mutated::NextArm => "next-arm",
    }
}
