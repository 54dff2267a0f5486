//! `loadout plugin install`: a component for a host somewhere else.

use std::path::PathBuf;

use crate::cli::failure::Failure;
use crate::cli::{file, print};
use crate::plugin::Workshop;

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
    #[command(flatten)]
    remote: Remote,
}

impl Install {
    pub(super) fn run(self) -> Result<(), Failure> {
        let component = file::read(&self.component)?;
        let refused = |error| Failure::because(format!("`{}` is refused", self.component.display()), error);
        let manifest = Workshop::inspect(&component).map_err(refused)?;
        let path = if self.only_bring { "/api/v1/plugins?activate=false" } else { "/api/v1/plugins" };
        let installed = self.remote.open()?.send_component(path, &component)?;
        let serves = installed["version"].as_str().unwrap_or("no version");
        print(&format!("installed  {} {}\nserves     {serves}", manifest.full_name(), manifest.version))?;
        match installed["why"].as_str() {
            Some(why) if self.only_bring => print(&format!("because    {why}")),
            Some(why) => Err(Failure::found(format!("it is there and does not serve: {why}"))),
            None => Ok(()),
        }
    }
}
