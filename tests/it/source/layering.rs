//! The table of `host/ARCHITECTURE.md`, held against the code.

use std::fs;
use std::path::{Path, PathBuf};

/// A module and the modules of the host it may name. Later lines are further out.
const LAYERS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("content", &["domain"]),
    ("store", &["domain"]),
    ("resolve", &["domain", "store"]),
    ("import", &["domain", "store"]),
    ("export", &["domain", "store", "import"]),
    ("upgrade", &["domain", "store", "import"]),
    ("pipeline", &["domain", "store"]),
    ("outbound", &["domain"]),
    ("plugin", &["domain", "store", "resolve", "upgrade", "pipeline", "outbound"]),
    ("bundle", &["domain", "import", "export", "plugin"]),
    ("workbench", &["domain", "store", "resolve", "upgrade", "pipeline", "plugin"]),
    (
        "service",
        &["domain", "content", "store", "resolve", "import", "export", "upgrade", "pipeline", "plugin", "bundle"],
    ),
    ("http", &["domain", "store", "resolve", "import", "export", "upgrade", "pipeline", "plugin", "bundle", "service"]),
    ("readers", &["domain", "store", "import", "upgrade", "plugin", "http"]),
    (
        "cli",
        &[
            "domain",
            "content",
            "store",
            "resolve",
            "import",
            "export",
            "upgrade",
            "pipeline",
            "outbound",
            "plugin",
            "bundle",
            "workbench",
            "service",
            "http",
        ],
    ),
];

/// A foreign crate and the modules that may name it.
const FOREIGN: &[(&str, &[&str])] = &[
    ("rusqlite", &["store"]),
    ("ureq", &["outbound", "cli"]),
    ("webpki_root_certs", &["outbound"]),
    ("serde_saphyr", &["workbench"]),
    ("zeroize", &["domain"]),
    ("wasmtime", &["plugin"]),
    ("wasmtime_wasi", &["plugin"]),
    ("wasmparser", &["plugin", "workbench"]),
    ("rustix", &["plugin", "store", "cli"]),
    ("landlock", &["plugin"]),
    ("seccompiler", &["plugin"]),
    ("libc", &["plugin"]),
    ("axum", &["http"]),
    ("hyper", &["http"]),
    ("hyper_util", &["http"]),
    ("tower_http", &["http"]),
    ("tokio", &["http", "cli"]),
    ("clap", &["cli"]),
    ("zip", &["import", "export", "upgrade"]),
    ("ed25519_dalek", &["domain"]),
    ("url", &["domain"]),
    ("loadout_plugin_build", &["cli"]),
    ("quick_xml", &["import", "upgrade"]),
    ("loadout_plugins", &["service"]),
    ("gimli", &["workbench"]),
    ("rustc_demangle", &["plugin"]),
    ("opentelemetry", &["http", "cli"]),
    ("opentelemetry_otlp", &["cli"]),
    ("opentelemetry_sdk", &["http", "cli"]),
    ("tracing_opentelemetry", &["http", "cli"]),
];

#[test]
fn modules_name_only_what_lies_further_in() {
    let mut named = 0;
    for (module, allowed) in LAYERS {
        for (file, text) in sources(module) {
            for (other, _) in LAYERS.iter().filter(|(other, _)| other != module) {
                if mentions(&text, &format!("crate::{other}")) {
                    assert!(allowed.contains(other), "{} names `crate::{other}`", file.display());
                    named += 1;
                }
            }
        }
    }
    assert!(named > 50, "only {named} mentions: is the search still right?");
}

#[test]
fn every_module_has_its_place_in_the_table() {
    let modules = fs::read_to_string(host().join("lib.rs")).unwrap();
    let modules = modules.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    for module in modules {
        assert!(LAYERS.iter().any(|(known, _)| *known == module), "`{module}` is in no layer");
    }
}

#[test]
fn foreign_crates_stay_in_their_module() {
    for (foreign, homes) in FOREIGN {
        let mut at_home = 0;
        for (module, _) in LAYERS {
            for (file, text) in sources(module) {
                if mentions(&text, &format!("{foreign}::")) {
                    assert!(homes.contains(module), "{} names `{foreign}`", file.display());
                    at_home += 1;
                }
            }
        }
        assert!(at_home > 0, "nothing names `{foreign}`: is the table still right?");
    }
}

#[test]
fn the_sdk_and_the_host_never_meet() {
    let manifests =
        ["host/Cargo.toml", "guest-sdk/Cargo.toml"].map(|file| fs::read_to_string(root().join(file)).unwrap());
    let [host, sdk] = manifests.map(|text| text.split("[dev-dependencies]").next().unwrap().to_owned());
    assert!(!host.contains("loadout-sdk"), "the host depends on the SDK");
    assert!(!sdk.contains("loadout ") && !sdk.contains("loadout."), "the SDK depends on the host");
}

/// Whether `text` names `path` outside of comments, as a whole word.
fn mentions(text: &str, path: &str) -> bool {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).any(|line| {
        line.match_indices(path).any(|(at, found)| {
            let word = |c: char| c.is_alphanumeric() || c == '_';
            let before = line[..at].chars().next_back().is_some_and(|c| word(c) || c == ':');
            let after = line[at + found.len()..].chars().next().is_some_and(|c| word(c) && !found.ends_with(':'));
            !before && !after
        })
    })
}

/// The files of a module, tests excluded: they may reach further.
fn sources(module: &str) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    let mut folders = vec![host().join(module)];
    let root = host().join(format!("{module}.rs"));
    files.push(root);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.expect("a folder can be listed").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs")
                && path.file_name().is_some_and(|it| it != "tests.rs")
            {
                files.push(path);
            }
        }
    }
    files
        .into_iter()
        .map(|file| (file.clone(), production(&fs::read_to_string(file).expect("a source file"))))
        .collect()
}

/// A file without its tests, which stand at its end.
pub(super) fn production(text: &str) -> String {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned()
}

pub(super) fn host() -> PathBuf {
    root().join("host/src")
}

pub(super) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
