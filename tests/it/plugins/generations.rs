//! Plugins of every published generation of the contract: they run on this host, and answer as they always did.

use std::fs;
use std::path::{Path, PathBuf};

use insta::assert_snapshot;
use loadout_contract::Contract;
use loadout_plugin_build::embed_manifest;
use loadout_tests::Done;
use loadout_tests::archive::root;
use loadout_tests::guests::manifest;
use loadout_tests::host::{Failure, TestHost};
use loadout_tests::program::plugin;

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
        let world = component.with_extension("");
        let [world, file] = [&world, &component].map(|path| path.display().to_string());
        let said = plugin(&root(), &["test", &world, "--component", &file])?;
        assert!(said.starts_with("0 ") && said.contains("each as expected"), "{file}: {said}");
    }
    Ok(())
}

/// What plugins asked of hosts then is all asked by the ones that are kept.
#[test]
fn they_ask_all_there_was_to_ask() -> Done {
    for component in components()? {
        let world = component.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let generation = component.parent().unwrap_or(Path::new(""));
        let contract = Contract::read(&generation.join("wit"))?;
        let missing = contract.unused(&world, &fs::read(&component)?)?;
        assert!(missing.is_empty(), "{} does not use {missing:?}", component.display());
    }
    Ok(())
}

/// A plugin for the world `tool`, written against the contract of this host with an edit in one of its files, or in
/// all.
fn edited(file: &str, from: &str, to: &str) -> Result<Vec<u8>, Failure> {
    let contract = Contract::edited(&root().join("wit"), |name, text| {
        let meant = name == file || file == "*";
        assert!(!meant || text.contains(from), "`{from}` is in `{name}`");
        if meant { text.replacen(from, to, 1) } else { text }
    })?;
    Ok(embed_manifest(&contract.guest("tool")?, &manifest("newer", "1.0.0", "greeter"))?)
}

// The command waits for the server that this test is.
#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_needs_what_this_host_has_not_is_told_what() -> Done {
    let edits = [
        ("context.wit", "    get: func(", "    team: func() -> option<string>;\n\n    get: func("),
        ("context.wit", "has-role: func(role: string) -> bool", "has-role: func(role: string) -> option<bool>"),
        ("tool-rule.wit", "evaluate: func(settings: string)", "evaluate: func(settings: string, seed: u64)"),
        ("*", "loadout:plugin@0.1.0", "loadout:plugin@0.2.0"),
    ];
    let host = TestHost::with_platform().await?;
    let folder = tempfile::tempdir()?;
    let mut said = Vec::new();
    for (file, from, to) in edits {
        let component = edited(file, from, to)?;
        fs::write(folder.path().join("a.wasm"), &component)?;
        let checked = plugin(folder.path(), &["check", "--component", "a.wasm"])?;
        let why = checked.strip_prefix("1 error: `a.wasm` is refused: ").ok_or("it is refused")?;
        let installed = host.install("", &component).await?;
        let detail = installed.json()["detail"].as_str().unwrap_or_default().to_owned();
        assert!(detail.contains(why), "the host says {detail}, and not {why}");
        said.push(why.to_owned());
    }
    assert_snapshot!(said.join("\n"), @r#"
    it does not fit `loadout:plugin` 0.1.0 as this host has it (component imports instance `loadout:plugin/context@0.1.0`, but a matching implementation was not found in the linker: instance export `team` has the wrong type: function implementation is missing): build it with the SDK that `loadout plugin new` of this host brings along, or install it on a newer host
    it does not fit `loadout:plugin` 0.1.0 as this host has it (component imports instance `loadout:plugin/context@0.1.0`, but a matching implementation was not found in the linker: instance export `has-role` has the wrong type: type mismatch with results: expected `bool` found `option`): build it with the SDK that `loadout plugin new` of this host brings along, or install it on a newer host
    it does not fit `loadout:plugin` 0.1.0 as this host has it (failed to convert function to given type: type mismatch with parameters: expected 1-tuple, found 2-tuple): build it with the SDK that `loadout plugin new` of this host brings along, or install it on a newer host
    it is built against `loadout:plugin/context@0.2.0`, `loadout:plugin/library@0.2.0`, `loadout:plugin/records@0.2.0`, `loadout:plugin/knowledge@0.2.0`, `loadout:plugin/http@0.2.0` and 2 more, and this host offers `loadout:plugin` 0.1.0: build it with the SDK that `loadout plugin new` of this host brings along, or install it on a host that offers what it wants
    "#);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_of_a_later_version_of_the_generation_is_taken() -> Done {
    let host = TestHost::with_platform().await?;
    let installed = host.install("", &edited("*", "loadout:plugin@0.1.0", "loadout:plugin@0.1.1")?).await?;
    assert_eq!(installed.status, 201, "{installed}");
    Ok(())
}
