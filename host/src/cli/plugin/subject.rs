//! What a command of the workbench is about: a project that is built first, or a component that is there.

use std::path::{Path, PathBuf};

use crate::cli::failure::Failure;
use crate::cli::file;
use crate::workbench::{Case, CaseError, CaseFile, Found, Workbench};

use super::project::Project;

/// The plugin that is tried.
#[derive(Debug, clap::Args)]
pub(super) struct Subject {
    /// The plugin's folder, which is built first.
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// A component that is there, in place of a build. Its cases are those of the folder.
    #[arg(long, value_name = "FILE.wasm")]
    component: Option<PathBuf>,
}

impl Subject {
    /// The component on the bench, and its bytes.
    pub(super) fn open(&self) -> Result<(Workbench, Vec<u8>), Failure> {
        let (path, component) = match &self.component {
            Some(path) => (path.clone(), file::read(path)?),
            None => {
                let built = Project::open(&self.folder)?.build()?;
                (built.path, built.component)
            }
        };
        let refused = |error| Failure::because(format!("`{}` is refused", path.display()), error);
        // Compiling a runtime of a language takes long, and the next command is about the same one.
        let target = self.folder.join("target");
        let cache = target.is_dir().then(|| target.join("compiled"));
        Ok((Workbench::open(&component, cache.as_deref()).map_err(refused)?, component))
    }

    /// The plugin's folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its cases, file by file.
    pub(super) fn cases(&self) -> Result<Vec<(PathBuf, CaseFile)>, Failure> {
        CaseFile::read_all(&self.folder.join("cases")).map_err(Failure::of)
    }
}

/// Asks about a case, and names where it stands if that cannot be done.
pub(super) fn ask(bench: &Workbench, path: &Path, file: &CaseFile, case: &Case) -> Result<Found, Failure> {
    let place =
        || if case.name.is_empty() { path.display().to_string() } else { format!("{}: {}", path.display(), case.name) };
    let unfit = |error: CaseError| Failure::because(place(), error);
    let nothing_asked = || {
        let manifest = bench.manifest();
        Failure::usage(format!(
            "`{}` is built for the world `{}`, and cases are for rules of tools: test its functions with `cargo test`",
            manifest.full_name(),
            manifest.world
        ))
    };
    bench.ask(file, case).map_err(unfit)?.ok_or_else(nothing_asked)
}
