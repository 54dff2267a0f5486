//! `loadout plugin run`: one question to a component, and all there is to see of the answer.

use std::path::PathBuf;

use crate::cli::failure::Failure;
use crate::cli::print;
use crate::workbench::{Case, CaseFile, Found};

use super::subject::{Subject, ask};

/// Ask a plugin one question, and print what it answers, reads, writes and uses.
#[derive(Debug, clap::Args)]
pub(super) struct Run {
    /// The question, as a case has it: `session`, `library` and `settings`, or in their place `event`, `question` or
    /// `page`, in YAML or JSON.
    #[arg(value_name = "QUESTION.yaml")]
    question: PathBuf,
    #[command(flatten)]
    subject: Subject,
}

impl Run {
    pub(super) fn run(self) -> Result<(), Failure> {
        let case = Case::read(&self.question).map_err(Failure::of)?;
        let (bench, _) = self.subject.open()?;
        let file = CaseFile { library: Default::default(), cases: Vec::new() };
        let found = ask(&bench, &self.question, &file, &case)?;
        print(&told(&found)?)?;
        found.problem().map_or(Ok(()), |problem| Err(Failure::found(problem)))
    }
}

fn told(found: &Found) -> Result<String, Failure> {
    let mut lines = vec![serde_json::to_string_pretty(&found.outcome).map_err(Failure::of)?];
    lines.extend(found.call.reads.iter().map(|read| format!("read       {} = {}", read.what, read.answer)));
    lines.extend(found.call.refused.iter().map(|it| format!("refused    {}, {} times", it.name, it.count)));
    lines.extend(found.call.text.lines.iter().map(|line| format!("wrote      {}", line.text)));
    lines.extend(found.call.backtrace.iter().map(|line| format!("in         {line}")));
    let usage = &found.call.usage;
    lines.push(format!(
        "used       {} µs to start, {} µs to answer, {} KiB of memory; calls to the host: {}",
        usage.instantiate_micros,
        usage.run_micros,
        usage.peak_memory.div_ceil(1024),
        usage.host_calls
    ));
    Ok(lines.join("\n"))
}
