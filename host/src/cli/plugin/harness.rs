//! `loadout plugin harness`: a component that is asked by another program, line by line.
//!
//! How tests in any language reach the real engine without linking it. The lines are JSON and described in the README
//! of the guest SDK; a line that cannot be used is answered with a sentence, and the next one is read.

use std::io::{self, BufRead};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cli::failure::Failure;
use crate::cli::print;
use crate::domain::trace::{LogText, RefusedCall, Usage};
use crate::resolve::Read;
use crate::workbench::{Case, CaseFile, Found, Workbench};

use super::subject::{Subject, ask};

/// The version of the protocol. Raised by what an older reader would misunderstand.
const PROTOCOL: u32 = 1;

/// Answer questions to a plugin that come as lines of JSON on standard input, for tests in another program.
#[derive(Debug, clap::Args)]
pub(super) struct Harness {
    #[command(flatten)]
    subject: Subject,
}

/// The first line: who answers.
#[derive(Debug, Serialize)]
struct Greeting<'a> {
    harness: u32,
    plugin: String,
    version: String,
    world: &'a str,
    kinds: &'a [String],
}

/// A question.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    /// What its answer is known by.
    id: u64,
    /// A case, as files have them.
    case: Case,
}

/// The answer to a question.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    id: u64,
    outcome: Value,
    reads: Vec<Line>,
    refused: Vec<RefusedCall>,
    wrote: LogText,
    usage: Usage,
    /// How it broke, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    backtrace: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Line {
    what: String,
    answer: String,
}

/// A question that cannot be asked.
#[derive(Debug, Serialize)]
struct Refusal {
    id: Option<u64>,
    error: String,
}

impl Harness {
    pub(super) fn run(self) -> Result<(), Failure> {
        let (bench, _) = self.subject.open()?;
        let manifest = bench.manifest();
        say(&Greeting {
            harness: PROTOCOL,
            plugin: manifest.full_name(),
            version: manifest.version.to_string(),
            world: &manifest.world,
            kinds: bench.kinds(),
        })?;
        for line in io::stdin().lock().split(b'\n') {
            let line = line.map_err(|error| Failure::because("standard input cannot be read", error))?;
            match answer(&bench, &line) {
                Ok(answer) => say(&answer)?,
                Err(refusal) => say(&refusal)?,
            }
        }
        Ok(())
    }
}

fn answer(bench: &Workbench, line: &[u8]) -> Result<Answer, Refusal> {
    let Question { id, case } = serde_json::from_slice(line).map_err(|error| {
        let id = serde_json::from_slice::<Value>(line).ok().and_then(|question| question["id"].as_u64());
        Refusal { id, error: format!("this is no question: {error}") }
    })?;
    let file = CaseFile { library: Default::default(), cases: Vec::new() };
    let found = ask(bench, Path::new("the question"), &file, &case);
    let found = found.map_err(|failure| Refusal { id: Some(id), error: failure.to_string() })?;
    let because = found.problem();
    let Found { outcome, call, .. } = found;
    let line = |Read { what, answer }: Read| Line { what, answer };
    Ok(Answer {
        id,
        outcome,
        because,
        reads: call.reads.into_iter().map(line).collect(),
        refused: call.refused,
        wrote: call.text,
        usage: call.usage,
        backtrace: call.backtrace,
    })
}

fn say(line: &impl Serialize) -> Result<(), Failure> {
    print(&serde_json::to_string(line).map_err(Failure::of)?)
}
