//! `loadout plugin list`: the plugins of a host somewhere else.

use serde_json::Value;

use crate::cli::failure::Failure;
use crate::cli::print;
use crate::cli::visible::one_line;

use super::remote::Remote;

/// Print the plugins of a host: what serves, what does not and why, and which tools are hidden meanwhile.
#[derive(Debug, clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    remote: Remote,
}

impl List {
    pub(super) fn run(self) -> Result<(), Failure> {
        let listed = self.remote.open()?.get("/api/v1/plugins")?;
        for plugin in listed["items"].as_array().into_iter().flatten() {
            print(&one_line(&line(plugin)))?;
        }
        for tool in listed["withoutRule"].as_array().into_iter().flatten() {
            let text = |key: &str| tool[key].as_str().unwrap_or_default();
            print(&one_line(&format!("hidden from all users: pane tool `{}`: {}", text("tool"), text("reason"))))?;
        }
        Ok(())
    }
}

fn line(plugin: &Value) -> String {
    let text = |key: &str| plugin[key].as_str().unwrap_or_default();
    let version = plugin["version"].as_str().unwrap_or("-");
    let kinds: Vec<&str> = plugin["kinds"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let name = format!("{}/{}", text("publisher"), text("name"));
    // A host from before this word has the switch alone.
    let serving = plugin["serving"].as_str().unwrap_or_else(|| text("state"));
    let reason = plugin["reason"].as_str().or_else(|| plugin["problem"].as_str());
    let next = plugin["next"].as_str().map_or_else(String::new, |next| format!("; {next}"));
    let reason = reason.map_or_else(String::new, |reason| format!("  {reason}{next}"));
    let unfit = match plugin["settingsProblems"]["count"].as_u64() {
        None => String::new(),
        Some(1) => "  1 setting does not fit".to_owned(),
        Some(count) => format!("  {count} settings do not fit"),
    };
    format!("{name:<40} {version:<10} {serving:<11} {}{reason}{unfit}", kinds.join(", "))
}
