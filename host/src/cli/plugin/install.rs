//! `loadout plugin install`: a component for a host somewhere else.

use std::path::PathBuf;

use serde_json::Value;

use crate::cli::failure::Failure;
use crate::cli::{file, print};
use crate::plugin::Loader;

use super::remote::Remote;

/// Install a component on a host, and let it serve. Fails if it does not.
#[derive(Debug, clap::Args)]
pub(super) struct Install {
    /// The component.
    #[arg(value_name = "FILE.wasm")]
    component: PathBuf,
    /// Only bring it there: what serves goes on serving.
    #[arg(long)]
    only_bring: bool,
    /// Let it serve although settings that are there do not fit it.
    #[arg(long, conflicts_with = "only_bring")]
    anyway: bool,
    #[command(flatten)]
    remote: Remote,
}

impl Install {
    pub(super) fn run(self) -> Result<(), Failure> {
        let component = file::read(&self.component)?;
        let refused = |error| Failure::because(format!("`{}` is refused", self.component.display()), error);
        let manifest = Loader::inspect(&component).map_err(refused)?;
        let path = match (self.only_bring, self.anyway) {
            (true, _) => "/api/v1/plugins?activate=false",
            (false, true) => "/api/v1/plugins?anyway=true",
            (false, false) => "/api/v1/plugins",
        };
        let installed = self.remote.open()?.send_component(path, &component)?;
        let serves = installed["version"].as_str().unwrap_or("no version");
        print(&format!("installed  {} {}\nserves     {serves}", manifest.full_name(), manifest.version))?;
        for migrated in installed["migrated"]["settings"].as_array().into_iter().flatten() {
            print(&format!("migrated   {}", place(migrated)))?;
        }
        match installed["why"].as_str() {
            Some(why) if self.only_bring => print(&format!("because    {why}")),
            Some(why) => Err(Failure::found(format!("it is there and does not serve: {why}"))),
            None => Ok(()),
        }
    }
}

/// Where settings are that were migrated, and which attributes are others now.
fn place(migrated: &Value) -> String {
    let text = |key: &str| migrated[key].as_str();
    let place = match (text("step"), text("tool"), text("profile")) {
        (Some(step), _, _) => format!("step {step}"),
        (None, tool, profile) => format!("{} in {}", tool.unwrap_or_default(), profile.unwrap_or_default()),
    };
    let changed = migrated["changed"].as_array().into_iter().flatten().filter_map(Value::as_str);
    format!("{place}: {}", changed.collect::<Vec<_>>().join(", "))
}
