//! The project folder of a plugin: its rule, its manifest, its cases, and the component it is built into.
//!
//! Recognises projects in Rust, Python and JavaScript by the package file of the language. A component of another
//! language is given as a file.

mod javascript;
mod packages;
mod python;
mod rust;
mod tool;

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use loadout_plugin_build::{Guests, embed_manifest};

use crate::cli::failure::Failure;
use crate::cli::file;
use crate::cli::visible::visible;
use crate::plugin::{Loader, Manifest, Weight};

/// The manifest of a plugin.
pub(super) const MANIFEST: &str = "plugin.toml";

/// The WIT files that a project was made with.
const CONTRACT: &str = "vendor/loadout/wit";

/// Where another language's tools leave a component, without its manifest.
const UNFINISHED: &str = "target/component.wasm";

/// A plugin's project.
pub(super) struct Project {
    folder: PathBuf,
    language: Language,
}

/// What a project is written in.
enum Language {
    Rust { package: String },
    Python,
    JavaScript,
}

/// A component that was built.
pub(super) struct Built {
    /// Where it is.
    pub(super) path: PathBuf,
    /// The component, with its manifest inside.
    pub(super) component: Vec<u8>,
    /// What it says about itself.
    pub(super) manifest: Manifest,
}

impl Project {
    /// The project in a folder.
    pub(super) fn open(folder: &Path) -> Result<Self, Failure> {
        let has = |name: &str| folder.join(name).is_file();
        let known = [rust::PACKAGE, python::REQUIREMENTS, javascript::PACKAGE];
        let Some(package) = known.into_iter().find(|name| has(name)) else {
            return Err(none(folder, &format!("`{}`, `{}` or `{}`", known[0], known[1], known[2])));
        };
        if !has(MANIFEST) {
            return Err(none(folder, &format!("`{MANIFEST}`")));
        }
        let language = match package {
            rust::PACKAGE => Language::Rust { package: rust::package(folder)? },
            python::REQUIREMENTS => Language::Python,
            _ => Language::JavaScript,
        };
        Ok(Self { folder: folder.to_owned(), language })
    }

    /// Compiles it, writes its manifest into the component and the component into the target folder. Refuses a
    /// component that no host would take.
    pub(super) fn build(&self) -> Result<Built, Failure> {
        self.build_as("", |guests| guests)
    }

    /// Compiles it so that its code can be told from the line it stands in. The result is only for
    /// analysis. Only in Rust.
    pub(super) fn build_with_lines(&self) -> Result<Built, Failure> {
        if !matches!(self.language, Language::Rust { .. }) {
            let shown = self.folder.display();
            return Err(Failure::usage(format!(
                "`{shown}` is not written in Rust, and only there code can be told from the line it stands in"
            )));
        }
        self.build_as("-with-lines", Guests::with_lines)
    }

    fn build_as(&self, suffix: &str, how: impl FnOnce(Guests) -> Guests) -> Result<Built, Failure> {
        let text = text(&self.folder.join(MANIFEST))?;
        let said =
            |error| Failure::because(format!("`{}` is no manifest", self.folder.join(MANIFEST).display()), error);
        let weight = if let Language::Rust { .. } = self.language { Weight::Light } else { Weight::Heavy };
        let manifest = Manifest::parse_for(&text, weight).map_err(said)?;
        let (name, component) = match &self.language {
            Language::Rust { package } => (package.as_str(), rust::build(&self.folder, package, how)?),
            Language::Python => (manifest.name.as_str(), self.componentize(&manifest, python::build)?),
            Language::JavaScript => (manifest.name.as_str(), self.componentize(&manifest, javascript::build)?),
        };
        let component = embed_manifest(&file::read(&component)?, &text).map_err(Failure::of)?;
        let path = self.folder.join("target").join(format!("{name}{suffix}.wasm"));
        let refused = |error| Failure::because(format!("`{}` is refused", path.display()), error);
        let manifest = Loader::inspect(&component).map_err(refused)?;
        manifest.settings().map_err(|error| refused(error.into()))?;
        let unwritable = |error| Failure::because(format!("`{}` cannot be written", path.display()), error);
        file::replace(&path, &component).map_err(unwritable)?;
        Ok(Built { path, component, manifest })
    }

    /// Has a language's tool make the component for the world of the manifest.
    fn componentize(
        &self,
        manifest: &Manifest,
        build: fn(&Path, &str, &str, &str) -> Result<(), Failure>,
    ) -> Result<PathBuf, Failure> {
        if !self.folder.join(CONTRACT).is_dir() {
            let shown = self.folder.display();
            return Err(Failure::usage(format!(
                "`{shown}/{CONTRACT}` is not there: `loadout plugin new` puts the contract into a project, copy it from a new one"
            )));
        }
        let target = self.folder.join("target");
        let unwritable = |error| Failure::because(format!("`{}` cannot be made", target.display()), error);
        fs::create_dir_all(&target).map_err(unwritable)?;
        build(&self.folder, manifest.world_name(), CONTRACT, UNFINISHED)?;
        Ok(self.folder.join(UNFINISHED))
    }
}

fn none(folder: &Path, what: &str) -> Failure {
    let shown = folder.display();
    Failure::usage(format!(
        "`{shown}` is no plugin's project, it has no {what}: name its folder, or make one with `loadout plugin new`"
    ))
}

fn text(path: &Path) -> Result<String, Failure> {
    String::from_utf8(file::read(path)?)
        .map_err(|error| Failure::because(format!("`{}` is no text", path.display()), error))
}

/// Prints progress to standard error. Ignores that standard error is closed.
fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", visible(line));
}
