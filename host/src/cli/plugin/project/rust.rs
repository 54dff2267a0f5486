//! A project in Rust: cargo makes the component.

use std::path::{Path, PathBuf};

use loadout_plugin_build::Guests;
use toml::Table;

use crate::cli::failure::Failure;

/// The file that marks a project in Rust.
pub(super) const PACKAGE: &str = "Cargo.toml";

/// The name of the project's package.
pub(super) fn package(folder: &Path) -> Result<String, Failure> {
    let shown = folder.display();
    let text = super::text(&folder.join(PACKAGE))?;
    let table: Table = text.parse().map_err(|error| Failure::because(format!("`{shown}/{PACKAGE}`"), error))?;
    let package = table.get("package").and_then(|it| it.get("name")?.as_str());
    let package = package.ok_or_else(|| Failure::usage(format!("`{shown}/{PACKAGE}` names no package")))?;
    Ok(package.to_owned())
}

/// Makes the component, and says where it is.
pub(super) fn build(folder: &Path, package: &str, how: impl FnOnce(Guests) -> Guests) -> Result<PathBuf, Failure> {
    let guests = Guests::new(folder.join(PACKAGE), folder.join("target/component")).packages([package]);
    let mut guests = how(guests).build().map_err(Failure::of)?;
    let guest = guests.pop().ok_or_else(|| Failure::found(format!("`{package}` gave no component")))?;
    Ok(guest.component)
}
