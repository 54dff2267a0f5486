//! Packages that a language's tools install into a folder of the project: once, and again when the file that names them
//! has changed.
//!
//! The folder keeps the text that named them. The packages are installed again if that text or the folder is removed.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::failure::Failure;
use crate::cli::file;

use super::say;

/// The file in the folder with the text that its packages were installed from.
const INSTALLED_FROM: &str = ".loadout-installed-from";

/// A folder of packages.
pub(super) struct Packages {
    folder: PathBuf,
    shown: &'static str,
}

impl Packages {
    /// The packages in a folder of the project.
    pub(super) fn new(project: &Path, folder: &'static str) -> Self {
        Self { folder: project.join(folder), shown: folder }
    }

    /// Returns whether a build made the folder.
    pub(super) fn are_ours(&self) -> bool {
        self.installed_from().is_some()
    }

    /// Returns whether the packages have to be installed, and prints why: `named` is the text that names them, and
    /// `file` where it stands.
    pub(super) fn must_be_installed(&self, file: &str, named: &str) -> bool {
        let shown = self.shown;
        match self.installed_from() {
            Some(text) if text == named => return false,
            Some(_) => {
                say(&format!("other packages are named than before: making `{shown}` again with what `{file}` names"))
            }
            None => say(&format!("making `{shown}` with what `{file}` names")),
        }
        true
    }

    /// Writes the text that the packages were installed from into the folder.
    pub(super) fn installed(&self, named: &str) -> Result<(), Failure> {
        let path = self.folder.join(INSTALLED_FROM);
        let unwritable = |error| Failure::because(format!("`{}` cannot be written", path.display()), error);
        file::replace(&path, named.as_bytes()).map_err(unwritable)
    }

    /// Returns the text the packages were installed from. Without a readable one they are installed again, which costs
    /// only some seconds.
    fn installed_from(&self) -> Option<String> {
        fs::read_to_string(self.folder.join(INSTALLED_FROM)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_installed_again_when_what_names_them_is_another() {
        let project = tempfile::tempdir().unwrap();
        let packages = Packages::new(project.path(), ".venv");
        let must = |named: &str| packages.must_be_installed("requirements.txt", named);
        assert!(must("one") && must("one"), "nothing was installed");
        fs::create_dir(project.path().join(".venv")).unwrap();
        assert!(must("one"), "packages of another tool, or an installation that did not finish");
        packages.installed("one").unwrap();
        assert!(!must("one") && must("two") && must(""));
        packages.installed("two").unwrap();
        assert!(!must("two") && must("one"));
    }
}
