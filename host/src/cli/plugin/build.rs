//! `loadout plugin build`: a project in, one component with its manifest inside out.

use std::path::PathBuf;

use crate::cli::failure::Failure;
use crate::cli::print;
use crate::plugin::Loader;

use super::project::{Built, Project};

/// Compile a plugin, and write its manifest into the component.
#[derive(Debug, clap::Args)]
pub(super) struct Build {
    /// The plugin's folder.
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
}

impl Build {
    pub(super) fn run(self) -> Result<(), Failure> {
        print(&told(&Project::open(&self.folder)?.build()?))
    }
}

/// What was built.
pub(super) fn told(built: &Built) -> String {
    let Built { path, component, manifest } = built;
    format!(
        "plugin     {} {}\nworld      {}\nsize       {} KiB\ndigest     {}\ncomponent  {}",
        manifest.full_name(),
        manifest.version,
        manifest.world,
        component.len().div_ceil(1024),
        Loader::digest(component),
        path.display()
    )
}
