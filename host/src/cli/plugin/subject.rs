//! What a command of the workbench is about: a project that is built first, or a component that is there.

use std::env;
use std::path::{Path, PathBuf};

use crate::cli::failure::Failure;
use crate::cli::file;
use crate::plugin::{Config, FixedInputs};
use crate::workbench::{Bench, Case, CaseError, CaseFile, Found, Workbench};

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
        self.open_under(FixedInputs::USUAL)
    }

    /// The same with another clock and another seed.
    pub(super) fn open_under(&self, fixed_inputs: FixedInputs) -> Result<(Workbench, Vec<u8>), Failure> {
        let (path, component) = self.component()?;
        let refused = |error| Failure::because(format!("`{}` is refused", path.display()), error);
        // Compiling a runtime of a language takes long, and the next command is about the same one.
        let target = self.folder.join("target");
        let keys = keys();
        let cache = (target.is_dir() && keys.is_some()).then(|| target.join("compiled"));
        let config = Config { fixed_inputs, keys, ..Config::default() };
        Ok((Workbench::open_with(&component, cache.as_deref(), config).map_err(refused)?, component))
    }

    /// The component, to be asked so many times.
    pub(super) fn bench(&self, calls: u16) -> Result<Bench, Failure> {
        let (path, component) = self.component()?;
        let refused = |error| Failure::because(format!("`{}` is refused", path.display()), error);
        Bench::open(&component, calls).map_err(refused)
    }

    /// Where the component is, and its bytes.
    pub(super) fn component(&self) -> Result<(PathBuf, Vec<u8>), Failure> {
        match &self.component {
            Some(path) => Ok((path.clone(), file::read(path)?)),
            None => {
                let built = Project::open(&self.folder)?.build()?;
                Ok((built.path, built.component))
            }
        }
    }

    /// The plugin's folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The component that is there, if it is not built first.
    pub(super) fn file(&self) -> Option<&Path> {
        self.component.as_deref()
    }

    /// Its cases, file by file.
    pub(super) fn cases(&self) -> Result<Vec<(PathBuf, CaseFile)>, Failure> {
        CaseFile::read_all(&self.folder.join("cases")).map_err(Failure::of)
    }
}

/// The folder of the key that signs compiled code. It belongs to the user of this machine and not to the project: the
/// author of a project may have put compiled code into its folder.
fn keys() -> Option<PathBuf> {
    let given = env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
    let data = given.or_else(|| env::home_dir().map(|home| home.join(".local/share")))?;
    Some(data.join("loadout"))
}

/// Asks about a case, and names where it stands if that cannot be done.
pub(super) fn ask(bench: &Workbench, path: &Path, file: &CaseFile, case: &Case) -> Result<Found, Failure> {
    let place =
        || if case.name.is_empty() { path.display().to_string() } else { format!("{}: {}", path.display(), case.name) };
    let unfit = |error: CaseError| Failure::because(place(), error);
    bench.ask(file, case).map_err(unfit)
}
