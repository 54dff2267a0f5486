//! The variables that a nested cargo inherits.
//!
//! A cargo that runs a build script, and clippy even more so, sets variables that mean the outer build. The inner one
//! must not see them: it has another target, another profile and another target folder.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

/// Memory enough from the start that a rule never has to grow it. Growing takes the memory lock of the whole process,
/// and costs other threads more than it costs the one that grows.
const INITIAL_MEMORY: &str = "-Clink-arg=--initial-memory=2097152";

/// The variable for [`rustflags`].
pub(crate) const RUSTFLAGS: &str = "CARGO_ENCODED_RUSTFLAGS";

/// Returns the flags of the inner rustc for every plugin, in the encoding of [`RUSTFLAGS`].
pub(crate) fn rustflags() -> OsString {
    let mut flags = OsString::from(INITIAL_MEMORY);
    let home = || env::home_dir().map(|home| home.join(".cargo"));
    if let Some(cargo_home) = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(home) {
        // Where crates lie on this machine must not end up in the component, whose digest is its identity.
        flags.push("\x1f--remap-path-prefix=");
        flags.push(cargo_home.join("registry").join("src"));
        flags.push("=registry");
    }
    flags
}

const KEPT: [&str; 4] = ["CARGO", "CARGO_HOME", "CARGO_INCREMENTAL", "CARGO_MAKEFLAGS"];
const KEPT_PREFIXES: [&str; 6] =
    ["CARGO_NET_", "CARGO_HTTP_", "CARGO_REGISTRIES_", "CARGO_REGISTRY_", "CARGO_SOURCE_", "CARGO_TERM_"];
const DROPPED: [&str; 9] = [
    "CLIPPY_ARGS",
    "CLIPPY_CONF_DIR",
    "CLIPPY_TERMINAL_WIDTH",
    "RUSTC",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
    "RUSTDOC",
    "RUSTDOCFLAGS",
    "RUSTFLAGS",
];

/// Returns whether the nested cargo sees a variable.
pub(crate) fn is_inherited(name: &str) -> bool {
    if name.starts_with("CARGO") {
        return KEPT.contains(&name) || KEPT_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    }
    !DROPPED.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outer_build_does_not_leak_into_the_inner_one() {
        for (name, expected) in [
            ("PATH", true),
            ("HOME", true),
            ("RUSTUP_TOOLCHAIN", true),
            ("CARGO", true),
            ("CARGO_HOME", true),
            ("CARGO_NET_OFFLINE", true),
            ("CARGO_REGISTRIES_CRATES_IO_PROTOCOL", true),
            ("CARGO_TARGET_DIR", false),
            ("CARGO_BUILD_TARGET", false),
            ("CARGO_BUILD_RUSTFLAGS", false),
            ("CARGO_ENCODED_RUSTFLAGS", false),
            ("CARGO_PROFILE_RELEASE_LTO", false),
            ("CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS", false),
            ("CARGO_PKG_NAME", false),
            ("RUSTFLAGS", false),
            ("RUSTC", false),
            ("RUSTC_WRAPPER", false),
            ("RUSTC_WORKSPACE_WRAPPER", false),
            ("CLIPPY_ARGS", false),
        ] {
            assert_eq!(is_inherited(name), expected, "for {name}");
        }
    }
}
