//! What is promised about every built-in component, read from its bytes.

use std::collections::BTreeSet;
use std::path::PathBuf;

use loadout_plugins::{ALL, Bundled};
use wasmparser::{BinaryReaderError, Parser, Payload};

/// The plugins that are steps of upgrades.
const STEPS: [&str; 3] = ["legacy-console", "workstreams", "existing-settings"];

const MANIFEST: &str = "loadout:manifest";

/// The interfaces of ours a rule may import.
const OURS: [&str; 3] = ["loadout:plugin/context@0.1.0", "loadout:plugin/library@0.1.0", "loadout:plugin/trace@0.1.0"];

/// What the standard library of a guest imports: the way out for the words of a panic, and the seed of hash maps. No
/// clocks, files or sockets.
const WASI: [&str; 14] = [
    "wasi:cli/environment@0.2.6",
    "wasi:cli/exit@0.2.6",
    "wasi:cli/stderr@0.2.6",
    "wasi:cli/stdin@0.2.6",
    "wasi:cli/stdout@0.2.6",
    "wasi:cli/terminal-input@0.2.6",
    "wasi:cli/terminal-output@0.2.6",
    "wasi:cli/terminal-stderr@0.2.6",
    "wasi:cli/terminal-stdin@0.2.6",
    "wasi:cli/terminal-stdout@0.2.6",
    "wasi:io/error@0.2.6",
    "wasi:io/poll@0.2.6",
    "wasi:io/streams@0.2.6",
    "wasi:random/insecure-seed@0.2.6",
];

#[derive(Default)]
struct Outline {
    imports: BTreeSet<String>,
    exports: Vec<String>,
    manifests: Vec<Vec<u8>>,
    initial_pages: u64,
}

fn outline(plugin: &Bundled) -> Result<Outline, BinaryReaderError> {
    let mut outline = Outline::default();
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(plugin.component) {
        match payload? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    outline.imports.insert(import?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    outline.exports.push(export?.name.name.to_owned());
                }
            }
            Payload::MemorySection(section) => {
                for memory in section {
                    outline.initial_pages += memory?.initial;
                }
            }
            Payload::CustomSection(section) if depth == 0 && section.name() == MANIFEST => {
                outline.manifests.push(section.data().to_vec());
            }
            _ => {}
        }
    }
    Ok(outline)
}

#[test]
fn every_plugin_exports_its_rule_or_step_and_imports_nothing_unexpected() {
    for plugin in ALL {
        let outline = outline(plugin).unwrap();
        let is_step = STEPS.contains(&plugin.name);
        let export = if is_step { "loadout:plugin/upgrade-step@0.1.0" } else { "loadout:plugin/tool-rule@0.1.0" };
        assert_eq!(outline.exports, [export], "of {}", plugin.name);
        assert!(
            !is_step || !outline.imports.contains("loadout:plugin/context@0.1.0"),
            "{} knows a person",
            plugin.name
        );
        let known = |import: &str| OURS.contains(&import) || WASI.contains(&import);
        let unexpected: Vec<_> = outline.imports.iter().filter(|import| !known(import)).collect();
        assert!(unexpected.is_empty(), "{} imports {unexpected:#?}", plugin.name);
    }
}

#[test]
fn every_plugin_carries_its_manifest_once_and_has_the_version_of_its_crate() {
    for plugin in ALL {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
        let manifest = std::fs::read_to_string(format!("{folder}/{}/plugin.toml", plugin.name)).unwrap();
        assert_eq!(outline(plugin).unwrap().manifests, [manifest.as_bytes()], "of {}", plugin.name);
        let identity = format!("name = \"{}\"\nversion = \"{}\"\n", plugin.name, env!("CARGO_PKG_VERSION"));
        assert!(manifest.contains(&identity), "`plugin.toml` of {} and its crate disagree", plugin.name);
    }
}

#[test]
fn every_plugin_starts_with_the_memory_it_needs() {
    for plugin in ALL {
        assert_eq!(outline(plugin).unwrap().initial_pages, 32, "pages of 64 KiB of {}", plugin.name);
    }
}

#[test]
fn no_plugin_tells_where_it_was_compiled() {
    let home = std::env::home_dir().unwrap();
    let folders = [home, PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).canonicalize().unwrap()];
    for (plugin, folder) in ALL.iter().flat_map(|plugin| folders.iter().map(move |folder| (plugin, folder))) {
        let folder = folder.as_os_str().as_encoded_bytes();
        let told = plugin.component.windows(folder.len()).any(|bytes| bytes == folder);
        // A home folder of `/` is everywhere.
        assert!(!told || folder.len() < 4, "{} names `{}`", plugin.name, folder.escape_ascii());
    }
}
