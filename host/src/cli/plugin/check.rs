//! `loadout plugin check`: whether hosts would take a component, and whether it answers the same everywhere.
//!
//! The cases are asked twice, by two processes in two time zones, with other clocks and other random numbers: whatever
//! depends on these shows.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::cli::failure::Failure;
use crate::cli::print;
use crate::domain::Capabilities;
use crate::plugin::{Manifest, SettingsSchema};

use super::subject::Subject;

/// Two places as far from each other as there are: time zone, and what makes it another time.
const PLACES: [(&str, &[&str]); 2] = [("Pacific/Pago_Pago", &[]), ("Pacific/Kiritimati", &["--elsewhere"])];

/// Look a plugin over: world, imports, manifest, settings schema, capabilities, and whether it answers the same
/// everywhere.
#[derive(Debug, clap::Args)]
pub(super) struct Check {
    #[command(flatten)]
    subject: Subject,
}

impl Check {
    pub(super) fn run(self) -> Result<(), Failure> {
        let (bench, component) = self.subject.open()?;
        let manifest = bench.manifest();
        print(&format!("plugin       {} {}", manifest.full_name(), manifest.version))?;
        print(&format!("world        {}, and its imports are those of the world", manifest.world))?;
        let unfit = |error| Failure::found(format!("its settings schema cannot be used: {error}"));
        match manifest.settings().map_err(unfit)? {
            Some(schema) => {
                print("settings     the schema is one")?;
                migrations(manifest, schema)?;
            }
            None => print("settings     no schema: any object is taken")?,
        }
        print(&format!("asks for     {}", asked(&manifest.capabilities)))?;
        let folder = tempfile::tempdir().map_err(Failure::of)?;
        let path = folder.path().join("component.wasm");
        fs::write(&path, &component).map_err(Failure::of)?;
        let cases = self.subject.cases()?.iter().map(|(_, file)| file.cases.len()).sum();
        let [here, there] = PLACES;
        let one = answers(&self.subject, &path, here, cases)?;
        let other = answers(&self.subject, &path, there, cases)?;
        if one != other {
            let differs = one.lines().zip(other.lines()).find(|(one, other)| one != other);
            let (one, other) = differs.unwrap_or_default();
            return Err(Failure::found(format!(
                "the same case has two outcomes at two times: look for a clock, random numbers or the order of a hash map, and go by what the session and the library say\n  {one}\n  {other}"
            )));
        }
        print(&format!("the same     {cases} cases, in two processes at two places and times"))
    }
}

/// Holds what the migrations make of their examples against the schema. That they make it was looked at when the
/// manifest was read.
fn migrations(manifest: &Manifest, schema: &SettingsSchema) -> Result<(), Failure> {
    let mut examples = 0_usize;
    for migration in &manifest.migrations {
        for (before, after) in &migration.examples {
            if let Some(problem) = schema.problems("settings", &Value::Object(after.clone())).first() {
                let before = Value::Object(before.clone());
                let from = &migration.from;
                let sentence =
                    format!("the migration from `{from}` makes settings of {before} that do not fit: {problem}");
                return Err(Failure::found(sentence));
            }
            examples += 1;
        }
    }
    match manifest.migrations.len() {
        0 => Ok(()),
        count => print(&format!("migrations   {count} with {examples} examples, and what comes of them fits")),
    }
}

/// What another process makes of all cases, as a line each.
fn answers(subject: &Subject, component: &Path, place: (&str, &[&str]), cases: usize) -> Result<String, Failure> {
    let (zone, more) = place;
    let program = std::env::current_exe().map_err(Failure::of)?;
    let mut command = Command::new(program);
    command.args(["plugin", "test", "--json"]).arg(subject.folder()).arg("--component").arg(component);
    command.args(more).env("TZ", zone);
    let done = command.output().map_err(|error| Failure::because("the cases cannot be asked", error))?;
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    // One that cannot be asked ends the rest.
    if text.lines().count() < cases {
        let said = String::from_utf8_lossy(&done.stderr).trim().trim_start_matches("error: ").to_owned();
        return Err(Failure::found(said));
    }
    Ok(text)
}

fn asked(capabilities: &Capabilities) -> String {
    if capabilities.is_empty() {
        "nothing".to_owned()
    } else {
        format!("{capabilities}, which the administrator has to grant")
    }
}
