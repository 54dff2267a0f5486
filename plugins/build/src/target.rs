//! The compilation target of plugins, and where their builds go.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Error;

/// The compilation target of plugins.
pub const TARGET: &str = "wasm32-wasip2";

/// Makes sure the standard library for [`TARGET`] is there; asks rustup for it if not.
pub(crate) fn ensure() -> Result<(), Error> {
    if is_installed()? {
        return Ok(());
    }
    // Without rustup, as with a toolchain of the distribution, the message below is all there is to give.
    let asked = Command::new("rustup").args(["target", "add", TARGET]).status();
    if asked.is_ok_and(|status| status.success()) && is_installed()? { Ok(()) } else { Err(Error::NoTarget) }
}

fn is_installed() -> Result<bool, Error> {
    let asked = Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]).output();
    let answer = asked.map_err(|source| Error::Start { program: "rustc".into(), source })?;
    let folder = String::from_utf8_lossy(&answer.stdout);
    Ok(answer.status.success() && Path::new(folder.trim()).is_dir())
}

/// The folder all nested builds of a workspace share: `guests` in the target folder that `out_dir` lies in.
pub(crate) fn shared_folder(out_dir: &Path) -> PathBuf {
    // Cargo marks a target folder with this file.
    let target = out_dir.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file());
    target.unwrap_or(out_dir).join("guests")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_builds_of_a_workspace_meet_in_one_folder() {
        let target = std::env::temp_dir().join(format!("loadout-plugin-build-{}", std::process::id()));
        let out_dir = target.join("debug/build/some-package-0123/out");
        std::fs::create_dir_all(&out_dir).unwrap();
        let unmarked = shared_folder(&out_dir);
        std::fs::write(target.join("CACHEDIR.TAG"), "").unwrap();
        let marked = shared_folder(&out_dir);
        std::fs::remove_dir_all(&target).unwrap();
        assert_eq!(unmarked, out_dir.join("guests"));
        assert_eq!(marked, target.join("guests"));
    }
}
