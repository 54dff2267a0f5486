//! `loadout plugin test`: the cases of a plugin, asked in the real engine with the real limits.

use serde::Serialize;
use serde_json::Value;

use crate::cli::failure::Failure;
use crate::cli::print;
use crate::plugin::FixedInputs;
use crate::workbench::Found;

use super::subject::{Subject, ask};

/// Ask a plugin about its cases in the real engine, and fail if one has another outcome than it expects.
#[derive(Debug, clap::Args)]
pub(super) struct Test {
    #[command(flatten)]
    subject: Subject,
    /// Print every outcome as one line of JSON.
    #[arg(long)]
    json: bool,
    /// At another time and with other random numbers than on a host, which must not matter.
    #[arg(long, hide = true)]
    elsewhere: bool,
}

/// The outcome of one case.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    file: String,
    case: &'a str,
    as_expected: bool,
    outcome: &'a Value,
}

impl Test {
    pub(super) fn run(self) -> Result<(), Failure> {
        let fixed_inputs = if self.elsewhere { FixedInputs::OTHER } else { FixedInputs::USUAL };
        let (bench, _) = self.subject.open_under(fixed_inputs)?;
        let (mut asked, mut otherwise) = (0, 0);
        for (path, file) in self.subject.cases()? {
            for case in &file.cases {
                let found = ask(&bench, &path, &file, case)?;
                let as_expected = case.expect.as_ref() == Some(&found.outcome);
                asked += 1;
                otherwise += u32::from(!as_expected);
                let file = path.file_name().unwrap_or_default().display().to_string();
                if self.json {
                    let line = Line { file, case: &case.name, as_expected, outcome: &found.outcome };
                    print(&serde_json::to_string(&line).map_err(Failure::of)?)?;
                } else if !as_expected {
                    let expected = case.expect.as_ref().map_or_else(|| "nothing".to_owned(), Value::to_string);
                    print(&format!("{file}: {}\n  expected {expected}\n  found    {}", case.name, told(&found)))?;
                }
            }
        }
        if otherwise > 0 {
            return Err(Failure::found(format!("{otherwise} of {asked} cases have another outcome than they expect")));
        }
        if self.json { Ok(()) } else { print(&format!("{asked} cases, each as expected")) }
    }
}

/// An outcome, with the sentence where the component broke.
fn told(found: &Found) -> String {
    let why = found.problem().map_or_else(String::new, |problem| format!("\n  because  {problem}"));
    let trace: String = found.call.backtrace.iter().map(|line| format!("\n           {line}")).collect();
    format!("{}{why}{trace}", found.outcome)
}
