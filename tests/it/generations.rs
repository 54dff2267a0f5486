//! Plugins of every published generation of the contract: they run on this host, and answer as they always did.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use loadout_tests::archive::root;
use loadout_tests::host::Failure;

type Done = Result<(), Failure>;

/// The components of all generations.
fn components() -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for generation in fs::read_dir(root().join("tests/golden"))? {
        for entry in fs::read_dir(generation?.path())? {
            let path = entry?.path();
            if path.extension().is_some_and(|it| it == "wasm") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[test]
fn a_plugin_of_every_generation_and_world_answers_as_it_did() -> Done {
    let components = components()?;
    assert!(components.len() >= 4, "{components:?}");
    for component in components {
        let mut command = Command::new(env!("CARGO_BIN_EXE_loadout-under-test"));
        command.args(["plugin", "test"]).arg(component.with_extension("")).arg("--component").arg(&component);
        let done = command.output()?;
        let said = [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
        assert!(done.status.success() && said.contains("each as expected"), "{}: {said}", component.display());
    }
    Ok(())
}

/// What plugins asked of hosts then is all asked by the ones that are kept.
#[test]
fn they_ask_all_there_was_to_ask() -> Done {
    for component in components()? {
        let world = component.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let generation = component.parent().unwrap_or(Path::new(""));
        let contract = loadout_contract::Contract::read(&generation.join("wit"))?;
        let missing = contract.unused(&world, &fs::read(&component)?)?;
        assert!(missing.is_empty(), "{} does not use {missing:?}", component.display());
    }
    Ok(())
}
