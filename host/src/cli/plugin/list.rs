//! `loadout plugin list`: the plugins of a host somewhere else.

use serde_json::Value;

use crate::cli::failure::Failure;
use crate::cli::print;

use super::remote::Remote;

/// Print the plugins of a host: what serves, and what is wrong.
#[derive(Debug, clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    remote: Remote,
}

impl List {
    pub(super) fn run(self) -> Result<(), Failure> {
        let listed = self.remote.open()?.get("/api/v1/plugins")?;
        for plugin in listed["items"].as_array().into_iter().flatten() {
            print(&line(plugin))?;
        }
        Ok(())
    }
}

fn line(plugin: &Value) -> String {
    let text = |key: &str| plugin[key].as_str().unwrap_or_default();
    let version = plugin["version"].as_str().unwrap_or("-");
    let kinds: Vec<&str> = plugin["kinds"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let name = format!("{}/{}", text("publisher"), text("name"));
    let problem = plugin["problem"].as_str().map_or_else(String::new, |problem| format!("  {problem}"));
    let unfit = match plugin["settingsProblems"]["count"].as_u64() {
        None => String::new(),
        Some(1) => "  1 setting does not fit".to_owned(),
        Some(count) => format!("  {count} settings do not fit"),
    };
    format!("{name:<40} {version:<10} {:<10} {}{problem}", text("state"), kinds.join(", ")) + &unfit
}
