//! The folder of a plugin somebody writes: its package, its manifest, its cases, and the component it is built into.
//!
//! Knows Rust projects. What else gives a component is handed over as a file.

use std::path::{Path, PathBuf};

use loadout_plugin_build::{Guests, embed_manifest};
use toml::Table;

use crate::cli::failure::Failure;
use crate::cli::file;
use crate::plugin::{Manifest, Workshop};

/// The manifest of a plugin.
pub(super) const MANIFEST: &str = "plugin.toml";

/// The package of a plugin.
const PACKAGE: &str = "Cargo.toml";

/// A plugin's project.
pub(super) struct Project {
    folder: PathBuf,
    package: String,
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
        let shown = folder.display();
        for name in [PACKAGE, MANIFEST] {
            if !folder.join(name).is_file() {
                return Err(Failure::usage(format!(
                    "`{shown}` is no plugin's project, it has no `{name}`: name its folder, or make one with `loadout plugin new`"
                )));
            }
        }
        let text = text(&folder.join(PACKAGE))?;
        let table: Table = text.parse().map_err(|error| Failure::because(format!("`{shown}/{PACKAGE}`"), error))?;
        let package = table.get("package").and_then(|it| it.get("name")?.as_str());
        let package = package.ok_or_else(|| Failure::usage(format!("`{shown}/{PACKAGE}` names no package")))?;
        Ok(Self { folder: folder.to_owned(), package: package.to_owned() })
    }

    /// Compiles it, writes its manifest into the component and the component into the target folder. What no host would take is refused.
    pub(super) fn build(&self) -> Result<Built, Failure> {
        self.build_as(&format!("{}.wasm", self.package), |guests| guests)
    }

    /// Compiles it so that its code can be told from the line it stands in. What comes of it is for looking at.
    pub(super) fn build_with_lines(&self) -> Result<Built, Failure> {
        self.build_as(&format!("{}-with-lines.wasm", self.package), Guests::with_lines)
    }

    fn build_as(&self, name: &str, how: impl FnOnce(Guests) -> Guests) -> Result<Built, Failure> {
        let manifest = text(&self.folder.join(MANIFEST))?;
        let said =
            |error| Failure::because(format!("`{}` is no manifest", self.folder.join(MANIFEST).display()), error);
        Manifest::parse(&manifest).map_err(said)?;
        let target = self.folder.join("target");
        let guests = Guests::new(self.folder.join(PACKAGE), target.join("component")).packages([self.package.as_str()]);
        let guests = how(guests).build().map_err(Failure::of)?;
        let none = || Failure::found(format!("`{}` gave no component", self.package));
        let component = file::read(&guests.first().ok_or_else(none)?.component)?;
        let component = embed_manifest(&component, &manifest).map_err(Failure::of)?;
        let path = target.join(name);
        let refused = |error| Failure::because(format!("`{}` is refused", path.display()), error);
        let manifest = Workshop::inspect(&component).map_err(refused)?;
        let unwritable = |error| Failure::because(format!("`{}` cannot be written", path.display()), error);
        file::replace(&path, &component).map_err(unwritable)?;
        Ok(Built { path, component, manifest })
    }
}

fn text(path: &Path) -> Result<String, Failure> {
    String::from_utf8(file::read(path)?)
        .map_err(|error| Failure::because(format!("`{}` is no text", path.display()), error))
}
