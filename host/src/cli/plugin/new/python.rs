//! The files of projects in Python. The bindings are those that `componentize-py bindings` makes of each world.

use super::{Kind, Template};

/// The template in a folder: `$export` is what its world exports, `$import` what it imports.
macro_rules! template {
    ($folder:literal, $export:literal, [$($import:literal),+] $(, $module:literal)*) => {
        &[
            ("requirements.txt", include_str!("python/requirements.txt.in")),
            ("plugin.toml", include_str!(concat!("rust/", $folder, "/plugin.toml.in"))),
            ("src/plugin.py", include_str!(concat!("python/", $folder, "/plugin.py.in"))),
            $((concat!("src/", $module), include_str!(concat!("python/", $folder, "/", $module, ".in"))),)*
            ("tests/__init__.py", include_str!("python/init.py.in")),
            ("tests/test_plugin.py", include_str!(concat!("python/", $folder, "/test_plugin.py.in"))),
            ("cases/first.yaml", include_str!(concat!("rust/", $folder, "/first.yaml.in"))),
            ("question.yaml", include_str!(concat!("rust/", $folder, "/question.yaml.in"))),
            ("README.md", include_str!(concat!("python/", $folder, "/README.md.in"))),
            (".gitignore", "/.venv\n/target\n__pycache__\n"),
            ("bindings/componentize_py_types.py", include_str!("python/bindings/componentize_py_types.py")),
            ("bindings/wit_world/__init__.py", include_str!("python/bindings/wit_world.py")),
            ("bindings/wit_world/exports/__init__.py", include_str!(concat!("python/", $folder, "/exports.py"))),
            (
                concat!("bindings/wit_world/exports/", $export, ".py"),
                include_str!(concat!("python/", $folder, "/", $export, ".py")),
            ),
            ("bindings/wit_world/imports/__init__.py", ""),
            $((
                concat!("bindings/wit_world/imports/", $import, ".py"),
                include_str!(concat!("python/bindings/imports/", $import, ".py")),
            ),)+
        ]
    };
}

/// Returns the files of a project of a kind.
pub(super) fn template(kind: Kind) -> Template {
    match kind {
        Kind::Tool => template!("tool", "tool_rule", ["context", "library", "records", "knowledge", "http", "trace"]),
        Kind::Step => template!("step", "configuration_step", ["library", "records", "knowledge", "http", "trace"]),
        Kind::ToolStep => {
            template!("tool-step", "evaluation_step", ["context", "library", "records", "knowledge", "http", "trace"])
        }
        Kind::Upgrade => template!("upgrade", "upgrade_step", ["library", "trace"], "columns.py"),
    }
}
