//! A project in JavaScript: `componentize-js` puts `src/plugin.js`, what it imports, and a JavaScript engine into a
//! component.

use std::path::{Path, absolute};

use crate::cli::failure::Failure;

use super::packages::Packages;
use super::tool::Tool;

/// What says that a project is one in JavaScript.
pub(super) const PACKAGE: &str = "package.json";

const LOCK: &str = "package-lock.json";

const NODE: &str = "Node.js 20 or later, with npm";

/// What no host offers: requests go through the contract.
const LEFT_OUT: [&str; 4] = ["--disable", "http", "--disable", "fetch-event"];

/// What is said to npm whatever it does. No package of a template has a script to be run when it is installed.
const QUIETLY: [&str; 5] = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"];

/// Makes the component. Its tools are installed into `node_modules` if what names them is not what is there.
pub(super) fn build(folder: &Path, world: &str, contract: &str, component: &str) -> Result<(), Failure> {
    let tool = absolute(folder.join("node_modules/.bin/componentize-js")).map_err(Failure::of)?;
    let packages = Packages::new(folder, "node_modules");
    let package = super::text(&folder.join(PACKAGE))?;
    let has_lock = || folder.join(LOCK).is_file();
    let named = || Ok(if has_lock() { super::text(&folder.join(LOCK))? + &package } else { package.clone() });
    if packages.must_be_installed(if has_lock() { LOCK } else { PACKAGE }, &named()?) {
        install(folder, has_lock())?;
        // With the lock as npm may have completed it.
        packages.installed(&named()?)?;
    }
    let of_project = ["src/plugin.js", "--wit", contract, "--world-name", world, "--out", component];
    Tool::new(
        tool,
        folder,
        "`@bytecodealliance/componentize-js`: name it in `package.json`, or remove `node_modules` if it is named",
    )
    .args(of_project)
    .args(LEFT_OUT)
    .run()
}

/// Installs what the lock names, byte for byte. A lock that npm refuses, because `package.json` names other packages or
/// because the lock was made where the registry lacked builds for some platforms, is completed.
fn install(folder: &Path, has_lock: bool) -> Result<(), Failure> {
    let npm = |verb| Tool::new("npm", folder, NODE).args([verb]).args(QUIETLY);
    if has_lock {
        if npm("ci").succeeds()? {
            return Ok(());
        }
        super::say(&format!("`npm ci` did not take `{LOCK}` as it is: completing it with `npm install`"));
    }
    npm("install").run()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    /// npm refuses a lock that lacks a package, be it for another platform, and the versions of npm differ in what they
    /// refuse.
    #[test]
    fn the_lock_of_a_new_project_names_every_package_for_every_platform() {
        let lock: Value = serde_json::from_str(include_str!("../new/javascript/package-lock.json.in")).unwrap();
        let packages = lock["packages"].as_object().unwrap();
        assert!(packages.len() > 100, "{} packages", packages.len());
        for (place, package) in packages {
            for group in ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"] {
                for name in package[group].as_object().into_iter().flat_map(|group| group.keys()) {
                    let is_optional = package["peerDependenciesMeta"][name]["optional"] == true;
                    assert!(
                        is_optional || is_found(packages, place, name),
                        "`{place}` needs `{name}`, not in the lock"
                    );
                }
            }
            assert!(place.is_empty() || package["integrity"].is_string(), "`{place}` has no digest");
            assert!(package.get("hasInstallScript").is_none(), "`{place}` needs a script that is not run");
        }
    }

    /// Whether a package is in the lock where one at `place` looks for it: beside its own packages, then further up.
    fn is_found(packages: &serde_json::Map<String, Value>, place: &str, name: &str) -> bool {
        let mut folder = place;
        loop {
            let at = if folder.is_empty() {
                format!("node_modules/{name}")
            } else {
                format!("{folder}/node_modules/{name}")
            };
            if packages.contains_key(&at) {
                return true;
            }
            if folder.is_empty() {
                return false;
            }
            folder = folder.rfind("/node_modules/").map_or("", |end| &folder[..end]);
        }
    }
}
