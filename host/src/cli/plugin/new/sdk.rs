//! The SDK and the WIT files this program was built with, as a workspace of their own beside a plugin.
//!
//! So a plugin is written against what the program knows, without a registry that has it.

use toml::{Table, Value};

use crate::cli::failure::Failure;

/// Each file with its text.
macro_rules! files {
    ($($path:literal),+ $(,)?) => {
        &[$(($path, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../", $path)))),+]
    };
}

const WORKSPACE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"));

/// Where the WIT files lie.
pub(super) const CONTRACT: &str = "wit/";

/// The packages, whose manifests are rewritten.
const PACKAGES: [&str; 2] = ["guest-sdk", "guest-sdk/workflow"];

const FILES: &[(&str, &str)] = files![
    "guest-sdk/Cargo.toml",
    "guest-sdk/README.md",
    "guest-sdk/src/bindings.rs",
    "guest-sdk/src/bindings/imports.rs",
    "guest-sdk/src/bindings/step.rs",
    "guest-sdk/src/bindings/tool.rs",
    "guest-sdk/src/bindings/tool_step.rs",
    "guest-sdk/src/bindings/upgrade.rs",
    "guest-sdk/src/date.rs",
    "guest-sdk/src/decision.rs",
    "guest-sdk/src/fault.rs",
    "guest-sdk/src/found.rs",
    "guest-sdk/src/host.rs",
    "guest-sdk/src/knowledge.rs",
    "guest-sdk/src/lib.rs",
    "guest-sdk/src/library.rs",
    "guest-sdk/src/outside.rs",
    "guest-sdk/src/query.rs",
    "guest-sdk/src/query/filter.rs",
    "guest-sdk/src/query/literal.rs",
    "guest-sdk/src/reading.rs",
    "guest-sdk/src/records.rs",
    "guest-sdk/src/script.rs",
    "guest-sdk/src/session.rs",
    "guest-sdk/src/source.rs",
    "guest-sdk/src/stage.rs",
    "guest-sdk/src/step.rs",
    "guest-sdk/src/step/event.rs",
    "guest-sdk/src/step/outcome.rs",
    "guest-sdk/src/testing.rs",
    "guest-sdk/src/testing/any_user.rs",
    "guest-sdk/src/testing/any_user/drawn.rs",
    "guest-sdk/src/testing/cases.rs",
    "guest-sdk/src/testing/component.rs",
    "guest-sdk/src/testing/component/outcome.rs",
    "guest-sdk/src/testing/component/promises.rs",
    "guest-sdk/src/testing/component/snapshots.rs",
    "guest-sdk/src/testing/outside.rs",
    "guest-sdk/src/testing/reads.rs",
    "guest-sdk/src/testing/schema.rs",
    "guest-sdk/src/testing/slug.rs",
    "guest-sdk/src/testing/step.rs",
    "guest-sdk/src/testing/tool.rs",
    "guest-sdk/src/testing/tool_step.rs",
    "guest-sdk/src/testing/update.rs",
    "guest-sdk/src/testing/upgrade.rs",
    "guest-sdk/src/text.rs",
    "guest-sdk/src/tool.rs",
    "guest-sdk/src/tool_step.rs",
    "guest-sdk/src/tool_step/outcome.rs",
    "guest-sdk/src/tool_step/question.rs",
    "guest-sdk/src/upgrade.rs",
    "guest-sdk/src/upgrade/migration.rs",
    "guest-sdk/src/upgrade/page.rs",
    "guest-sdk/src/upgrade/row.rs",
    "guest-sdk/workflow/Cargo.toml",
    "guest-sdk/workflow/src/action.rs",
    "guest-sdk/workflow/src/condition.rs",
    "guest-sdk/workflow/src/lib.rs",
    "wit/LANGUAGES.md",
    "wit/README.md",
    "wit/configuration-step.wit",
    "wit/context.wit",
    "wit/evaluation-step.wit",
    "wit/http.wit",
    "wit/knowledge.wit",
    "wit/library.wit",
    "wit/records.wit",
    "wit/tool-action.wit",
    "wit/tool-rule.wit",
    "wit/trace.wit",
    "wit/upgrade-step.wit",
    "wit/worlds.wit",
];

/// The files of the workspace, by their places in it.
pub(super) fn files() -> Result<Vec<(String, String)>, Failure> {
    let mut files: Vec<(String, String)> =
        FILES.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    let mut used = vec!["loadout-workflow".to_owned()];
    for package in PACKAGES {
        let place = format!("{package}/Cargo.toml");
        let Some((_, text)) = files.iter_mut().find(|(path, _)| *path == place) else { continue };
        let mut manifest = table(text)?;
        // Its examples do not come along.
        manifest.remove("example");
        used.extend(dependencies(&manifest));
        *text = written(&manifest)?;
    }
    files.push(("Cargo.toml".to_owned(), workspace(&used)?));
    Ok(files)
}

/// The workspace with these packages, and what they depend on.
fn workspace(used: &[String]) -> Result<String, Failure> {
    let mut whole = table(WORKSPACE)?;
    let Some(Value::Table(mut workspace)) = whole.remove("workspace") else { return written(&whole) };
    workspace.remove("default-members");
    workspace.insert("members".to_owned(), PACKAGES.map(Value::from).to_vec().into());
    if let Some(Value::Table(dependencies)) = workspace.get_mut("dependencies") {
        dependencies.retain(|name, _| used.iter().any(|used| used == name));
    }
    written(&Table::from_iter([("workspace".to_owned(), Value::Table(workspace))]))
}

/// The names of what a package depends on, wherever it says so.
fn dependencies(manifest: &Table) -> Vec<String> {
    let mut found = Vec::new();
    for (key, value) in manifest {
        let Value::Table(table) = value else { continue };
        if key.ends_with("dependencies") {
            found.extend(table.keys().cloned());
        } else if key == "target" {
            found.extend(table.values().filter_map(Value::as_table).flat_map(dependencies));
        }
    }
    found
}

fn table(text: &str) -> Result<Table, Failure> {
    text.parse().map_err(Failure::of)
}

fn written(table: &Table) -> Result<String, Failure> {
    toml::to_string(table).map_err(Failure::of)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    fn walk(root: &Path, folder: &str, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let entry = entry.unwrap();
            let path = format!("{folder}/{}", entry.file_name().display());
            if entry.file_type().unwrap().is_dir() {
                walk(root, &path, found);
            } else {
                found.insert(path);
            }
        }
    }

    #[test]
    fn nothing_of_the_sdk_is_left_behind() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut there = BTreeSet::from(["guest-sdk/Cargo.toml", "guest-sdk/README.md"].map(str::to_owned));
        for folder in ["guest-sdk/src", "guest-sdk/workflow", "wit"] {
            walk(&root, folder, &mut there);
        }
        let taken: BTreeSet<String> = FILES.iter().map(|(path, _)| (*path).to_owned()).collect();
        assert_eq!(taken, there);
    }

    #[test]
    fn the_workspace_has_what_its_packages_need_and_no_more() {
        let files = files().unwrap();
        let text = &files.iter().find(|(path, _)| path == "Cargo.toml").unwrap().1;
        let whole = table(text).unwrap();
        let names: Vec<&String> = whole["workspace"]["dependencies"].as_table().unwrap().keys().collect();
        assert_eq!(
            names,
            [
                "loadout-workflow",
                "proptest",
                "schemars",
                "serde",
                "serde-saphyr",
                "serde_json",
                "serde_path_to_error",
                "thiserror",
                "toml",
                "wit-bindgen"
            ]
        );
        assert!(files.iter().all(|(path, text)| !path.ends_with(".toml") || !text.contains("[[example]]")));
    }
}
