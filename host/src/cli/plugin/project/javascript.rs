//! A project in JavaScript: `componentize-js` puts `src/plugin.js`, what it imports, and a JavaScript engine into a component.

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

/// Makes the component. Its tools are installed into `node_modules` if what names them is not what is there.
pub(super) fn build(folder: &Path, world: &str, contract: &str, component: &str) -> Result<(), Failure> {
    let tool = absolute(folder.join("node_modules/.bin/componentize-js")).map_err(Failure::of)?;
    let packages = Packages::new(folder, "node_modules");
    let package = super::text(&folder.join(PACKAGE))?;
    let has_lock = || folder.join(LOCK).is_file();
    let named = || Ok(if has_lock() { super::text(&folder.join(LOCK))? + &package } else { package.clone() });
    if packages.must_be_installed(if has_lock() { LOCK } else { PACKAGE }, &named()?) {
        // Not `npm ci`: it refuses a lock made where a registry had no builds for other platforms.
        Tool::new("npm", folder, NODE).args(["install", "--no-audit", "--no-fund", "--loglevel", "error"]).run()?;
        // With the lock as npm completed it.
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
