//! What changes of the contract mean, tried on the contract itself.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use insta::assert_snapshot;
use loadout_contract::{Class, Contract, compare, difference, report};

type Done = Result<(), Box<dyn Error>>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The contract with one edit in one of its files, or in all.
fn edited(file: &str, from: &str, to: &str) -> Result<Contract, Box<dyn Error>> {
    Ok(Contract::edited(&root().join("wit"), |name, text| {
        let meant = name == file || file == "*";
        assert!(!meant || text.contains(from), "`{from}` is in `{name}`");
        if meant { text.replacen(from, to, 1) } else { text }
    })?)
}

/// What an edit means: the worlds that are no longer interchangeable, and what differs.
fn told(file: &str, from: &str, to: &str) -> Result<String, Box<dyn Error>> {
    let old = Contract::read(&root().join("wit"))?;
    let new = edited(file, from, to)?;
    let worlds = compare(&old, &new)?;
    let differ: Vec<_> = worlds.into_iter().filter(|world| world.class() != Class::Interchangeable).collect();
    Ok(format!("{}\n\n{}", report(&differ), difference(&old, &new)?))
}

#[test]
fn a_comment_changes_nothing() -> Done {
    assert_eq!(told("library.wit", "/// The configuration,", "/// All configuration,")?, "\n\n");
    Ok(())
}

#[test]
fn a_function_more_to_ask_is_for_new_guests() -> Done {
    let more =
        "/// The unique name of the app\n    team: func() -> option<string>;\n\n    /// The unique name of the app";
    assert_snapshot!(told("context.wit", "/// The unique name of the app", more)?, @r#"
    tool, tool-with-actions, tool-step: compatible
      a new guest on the old host: type mismatch for import `loadout:plugin/context@0.1.0`: missing expected export `team`

    interface context
      + team: func() -> option<string>;
    "#);
    Ok(())
}

#[test]
fn an_interface_more_to_ask_is_for_new_guests() -> Done {
    let more = "interface clock { now: func() -> u64; }\n\nworld upgrade {\n    import clock;";
    assert_snapshot!(told("worlds.wit", "world upgrade {", more)?, @r#"
    upgrade: compatible
      a new guest on the old host: missing import named `loadout:plugin/clock@0.1.0`

    interface clock
      + interface clock {
      + now: func() -> u64;
      + }
    world upgrade
      + import clock;
    "#);
    Ok(())
}

#[test]
fn a_world_more_breaks_nobody() -> Done {
    let more = "world watcher {\n    import trace;\n}\n\n/// A plugin that upgrades old environments.";
    assert_snapshot!(told("worlds.wit", "/// A plugin that upgrades old environments.", more)?, @r#"
    watcher: compatible
      a new guest on the old host: the world is not there yet

    world watcher
      + world watcher {
      + import trace;
      + }
    "#);
    Ok(())
}

#[test]
fn a_field_more_breaks_both_ways() -> Done {
    let more = "unresolved: list<string>,\n        scanned: u32,";
    assert_snapshot!(told("context.wit", "unresolved: list<string>,", more)?, @r#"
    tool, tool-with-actions, tool-step: breaking
      an old guest on the new host: type mismatch for import `loadout:plugin/context@0.1.0`: type mismatch in instance export `rendered`: expected 2 fields, found 3
      a new guest on the old host: type mismatch for import `loadout:plugin/context@0.1.0`: type mismatch in instance export `rendered`: expected 3 fields, found 2

    interface context
      + scanned: u32,
    "#);
    Ok(())
}

#[test]
fn a_case_more_breaks_both_ways() -> Done {
    assert_snapshot!(told("trace.wit", "warning,", "warning,\n        /// Broken.\n        error,")?, @r#"
    tool, tool-with-actions, tool-step, step, upgrade: breaking
      an old guest on the new host: type mismatch for import `loadout:plugin/trace@0.1.0`: type mismatch in instance export `level`: mismatch in enum elements
      a new guest on the old host: type mismatch for import `loadout:plugin/trace@0.1.0`: type mismatch in instance export `level`: mismatch in enum elements

    interface trace
      + error,
    "#);
    Ok(())
}

#[test]
fn a_function_more_to_answer_breaks_old_guests() -> Done {
    let more = "/// Looks at a change.\n    undo: func(id: string);\n\n    /// Looks at a change.";
    assert_snapshot!(told("configuration-step.wit", "/// Looks at a change.", more)?, @r#"
    step: breaking
      an old guest on the new host: type mismatch for export `loadout:plugin/configuration-step@0.1.0`: missing expected export `undo`

    interface configuration-step
      + undo: func(id: string);
    "#);
    Ok(())
}

#[test]
fn a_function_less_breaks_old_guests() -> Done {
    let gone = "names: func(kind: string) -> list<string>;";
    assert_snapshot!(told("library.wit", gone, "")?, @r#"
    tool, tool-with-actions, tool-step, step, upgrade: breaking
      an old guest on the new host: type mismatch for import `loadout:plugin/library@0.1.0`: missing expected export `names`

    interface library
      - names: func(kind: string) -> list<string>;
    "#);
    Ok(())
}

#[test]
fn another_type_breaks_both_ways() -> Done {
    assert_snapshot!(told("context.wit", "language: func() -> u32;", "language: func() -> string;")?, @r#"
    tool, tool-with-actions, tool-step: breaking
      an old guest on the new host: type mismatch for import `loadout:plugin/context@0.1.0`: type mismatch in instance export `language`: type mismatch with result type: expected primitive `u32` found primitive `string`
      a new guest on the old host: type mismatch for import `loadout:plugin/context@0.1.0`: type mismatch in instance export `language`: type mismatch with result type: expected primitive `string` found primitive `u32`

    interface context
      - language: func() -> u32;
      + language: func() -> string;
    "#);
    Ok(())
}

#[test]
fn a_later_version_of_the_generation_is_compared_by_its_types() -> Done {
    let changed = told("*", "package loadout:plugin@0.1.0;", "package loadout:plugin@0.1.1;")?;
    assert_snapshot!(changed, @r#"


    package
      - package loadout:plugin@0.1.0;
      + package loadout:plugin@0.1.1;
    "#);
    Ok(())
}

#[test]
fn nothing_of_another_generation_fits() -> Done {
    let changed = told("*", "package loadout:plugin@0.1.0;", "package loadout:plugin@0.2.0;")?;
    assert_snapshot!(changed, @r#"
    tool, tool-with-actions, tool-step, step, upgrade: breaking
      an old guest on the new host: it is built against 0.1.0, and the host offers 0.2.0
      a new guest on the old host: it is built against 0.2.0, and the host offers 0.1.0

    package
      - package loadout:plugin@0.1.0;
      + package loadout:plugin@0.2.0;
    "#);
    Ok(())
}

#[test]
fn what_is_no_contract_is_named() {
    let error = Contract::read(Path::new("/nowhere/wit")).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error.starts_with("`/nowhere/wit` is no folder of WIT files: "), "{error}");
}

/// Plugins of a published generation run on this host. A change that ends that belongs into a new generation, hosted
/// beside.
#[test]
fn what_was_published_still_fits() -> Done {
    let now = Contract::read(&root().join("wit"))?;
    let mut held = 0;
    for entry in fs::read_dir(root().join("tests/golden"))? {
        let generation = entry?.path();
        if !generation.join("wit").is_dir() {
            continue;
        }
        let then = Contract::read(&generation.join("wit"))?;
        let worlds = compare(&then, &now)?;
        let broken: Vec<_> = worlds.into_iter().filter(|world| world.class() == Class::Breaking).collect();
        let differs = difference(&then, &now)?;
        assert!(broken.is_empty(), "`{}` is broken:\n{}\n{differs}", generation.display(), report(&broken));
        held += 1;
    }
    assert!(held > 0, "there are published generations");
    Ok(())
}
