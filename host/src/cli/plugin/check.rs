//! `loadout plugin check`: whether hosts would take a component, and whether it answers the same everywhere.
//!
//! The cases are asked twice, by two processes in two time zones: whatever depends on the place or the time shows.

use std::process::Command;

use crate::cli::failure::Failure;
use crate::cli::print;
use crate::domain::Capabilities;
use crate::plugin::SettingsSchema;

use super::subject::Subject;

/// Two places as far from each other as there are.
const ZONES: [&str; 2] = ["Pacific/Pago_Pago", "Pacific/Kiritimati"];

/// Look a plugin over: world, imports, manifest, settings schema, capabilities, and whether it answers the same everywhere.
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
        match &manifest.settings_schema {
            Some(schema) => {
                let unfit = |error| Failure::found(format!("its settings schema cannot be used: {error}"));
                SettingsSchema::read(schema).map_err(unfit)?;
                print("settings     the schema is one")?;
            }
            None => print("settings     no schema: any object is taken")?,
        }
        print(&format!("asks for     {}", asked(&manifest.capabilities)))?;
        let folder = tempfile::tempdir().map_err(Failure::of)?;
        let path = folder.path().join("component.wasm");
        std::fs::write(&path, &component).map_err(Failure::of)?;
        let [one, other] = ZONES.map(|zone| answers(&self.subject, &path, zone));
        let (one, other) = (one?, other?);
        if one != other {
            // Where one of them ended early, what it has last says where.
            let differs = one.lines().zip(other.lines()).find(|(one, other)| one != other);
            let last = |text: &str| text.lines().last().unwrap_or_default().to_owned();
            let (one, other) =
                differs.map_or_else(|| (last(&one), last(&other)), |(a, b)| (a.to_owned(), b.to_owned()));
            return Err(Failure::found(format!(
                "the same case has two outcomes, so the plugin is not deterministic: look for a clock, randomness or the order of a hash map\n  {one}\n  {other}"
            )));
        }
        print(&format!("the same     {} cases, in two processes and two time zones", one.lines().count()))
    }
}

/// What another process makes of the cases.
fn answers(subject: &Subject, component: &std::path::Path, zone: &str) -> Result<String, Failure> {
    let program = std::env::current_exe().map_err(Failure::of)?;
    let mut command = Command::new(program);
    command.args(["plugin", "test", "--json"]).arg(subject.folder()).arg("--component").arg(component).env("TZ", zone);
    let done = command.output().map_err(|error| Failure::because("the cases cannot be asked", error))?;
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    if text.is_empty() {
        let said = String::from_utf8_lossy(&done.stderr).trim().trim_start_matches("error: ").to_owned();
        return Err(Failure::found(said));
    }
    Ok(text)
}

fn asked(capabilities: &Capabilities) -> String {
    if capabilities.is_empty() { "nothing".to_owned() } else { format!("{capabilities}, which somebody has to grant") }
}
