//! A project in Python: `componentize-py` puts `src/plugin.py` and CPython into a component.

use std::path::{Path, absolute};

use crate::cli::failure::Failure;

use super::packages::Packages;
use super::tool::Tool;

/// What says that a project is one in Python, and what its build needs.
pub(super) const REQUIREMENTS: &str = "requirements.txt";

const PYTHON: &str = "Python 3.10 or later, with its module `venv`";

/// Makes the component. Its tools are installed into `.venv` if what names them is not what is there.
pub(super) fn build(folder: &Path, world: &str, contract: &str, component: &str) -> Result<(), Failure> {
    let venv = absolute(folder.join(".venv")).map_err(Failure::of)?;
    let tool = venv.join("bin/componentize-py");
    let packages = Packages::new(folder, ".venv");
    let named = super::text(&folder.join(REQUIREMENTS))?;
    if packages.must_be_installed(REQUIREMENTS, &named) {
        // Of a folder that a build made, nothing stays that is not named any more.
        let clear = packages.are_ours().then_some("--clear");
        Tool::new("python3", folder, PYTHON).args(["-m", "venv", ".venv"].into_iter().chain(clear)).run()?;
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", REQUIREMENTS];
        Tool::new(venv.join("bin/python3"), folder, PYTHON).args(install).run()?;
        packages.installed(&named)?;
    }
    let of_world = ["--wit-path", contract, "--world", world];
    let of_project = ["componentize", "--python-path", "src", "plugin", "--output", component];
    let missing = "`componentize-py`: name it in `requirements.txt`, or remove `.venv` if it is named";
    Tool::new(tool, folder, missing).args(of_world).args(of_project).env("VIRTUAL_ENV", &venv).run()
}
