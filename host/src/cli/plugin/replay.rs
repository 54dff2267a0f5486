//! `loadout plugin replay`: a recorded call, made again on this machine from what was recorded alone.
//!
//! Needs no environment and no network. Compiles and runs the component in this process: it is for the author of the
//! plugin.

use std::path::PathBuf;

use serde::Serialize;
use serde_json::Value;

use crate::cli::failure::Failure;
use crate::cli::{file, print};
use crate::plugin::{About, Answer, CallRecording, Compiler, Config, Loader, Replayed};

/// Make a recorded call again, and fail if the component answers otherwise than what was recorded.
#[derive(Debug, clap::Args)]
pub(super) struct Replay {
    /// The recording, as `GET /api/v1/recordings/{id}` gives it.
    #[arg(value_name = "RECORDING.json")]
    recording: PathBuf,
    /// The component that is asked.
    #[arg(long, value_name = "FILE.wasm")]
    component: PathBuf,
    /// Print what came of it as JSON.
    #[arg(long)]
    json: bool,
}

/// What came of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    plugin: String,
    version: String,
    digest: String,
    /// Whether it is the component that was recorded.
    as_recorded: bool,
    tool: String,
    step: Option<String>,
    same: bool,
    recorded: Answer,
    answer: Answer,
    differences: Vec<Field>,
}

#[derive(Debug, Serialize)]
struct Field {
    field: String,
    recorded: Option<Value>,
    now: Option<Value>,
}

impl Replay {
    pub(super) fn run(self) -> Result<(), Failure> {
        let (shown, from) = (self.recording.display(), self.component.display());
        let text = String::from_utf8(file::read(&self.recording)?)
            .map_err(|error| Failure::because(format!("`{shown}` is no text"), error))?;
        let recording = CallRecording::parse(&text)
            .map_err(|error| Failure::because(format!("`{shown}` cannot be used"), error))?;
        let refused = |error| Failure::because(format!("`{from}` is refused"), error);
        let loader = Loader::open(None, Config::default()).map_err(Failure::of)?;
        let ready = loader.prepare(&file::read(&self.component)?, &Compiler::Here).map_err(refused)?;
        let nothing_asked = || {
            let (name, asked) = (ready.manifest().full_name(), what(&recording));
            Failure::usage(format!(
                "`{from}` is plugin `{name}`, and `{shown}` is of a call of {asked}: name a component that has it"
            ))
        };
        let Replayed { answer, .. } = recording.replay(&loader, &ready).ok_or_else(nothing_asked)?;
        let differences = recording.answer.differences(&answer).into_iter();
        let report = Report {
            plugin: ready.manifest().full_name(),
            version: ready.manifest().version.to_string(),
            digest: ready.digest().to_string(),
            as_recorded: *ready.digest() == recording.digest,
            tool: recording.tool.clone(),
            step: recording.step.as_ref().map(|step| step.name.clone()),
            same: recording.answer.agrees_with(&answer),
            recorded: recording.answer.clone(),
            answer,
            differences: differences.map(|it| Field { field: it.field, recorded: it.before, now: it.after }).collect(),
        };
        if self.json {
            print(&serde_json::to_string(&report).map_err(Failure::of)?)?;
        } else {
            print(&text_of(&report, &recording))?;
        }
        if report.same {
            return Ok(());
        }
        Err(Failure::found(format!("`{from}` does not answer as recorded in `{shown}`")))
    }
}

/// What was asked, as a person would say it.
fn what(recording: &CallRecording) -> String {
    let CallRecording { tool, step, .. } = recording;
    match step.as_ref().map(|step| (&step.name, &step.about)) {
        None => format!("the rule of tool `{tool}`"),
        Some((name, About::Tool { .. })) => format!("step `{name}` around tool `{tool}`"),
        Some((name, About::Change { .. })) => format!("step `{name}` about `{tool}`"),
    }
}

fn text_of(report: &Report, recording: &CallRecording) -> String {
    let Report { plugin, version, .. } = report;
    let CallRecording { version: then, at, revision, .. } = recording;
    let alike =
        if report.recorded == report.answer { "yes, byte by byte" } else { "yes, the same fault in other words" };
    let which = if report.as_recorded { "the component that was recorded" } else { "another component" };
    let mut lines = vec![
        format!("recorded   {} {then} {} at {at}, revision {revision}", recording.plugin, what(recording)),
        format!("asked      {plugin} {version}, {which}"),
        format!("same       {}", if report.same { alike } else { "no" }),
    ];
    let value = |it: &Option<Value>| it.as_ref().map_or_else(|| "nothing".to_owned(), Value::to_string);
    for Field { field, recorded, now } in &report.differences {
        lines.push(format!("differs    {field}: {} was recorded, now {}", value(recorded), value(now)));
    }
    if let Answer::Failed { code, message } = &report.answer {
        lines.push(format!("broke      {code}: {message}"));
    }
    lines.join("\n")
}
