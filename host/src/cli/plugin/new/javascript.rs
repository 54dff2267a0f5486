//! The files of projects in JavaScript. The types are the contract by hand, one file for each interface.

use super::{Kind, Template};

/// The template in a folder: `$rule` is the file with what the plugin does, `$export` what its world exports, `$import`
/// what it imports.
macro_rules! template {
    ($folder:literal, $rule:literal, $export:literal, [$($import:literal),+] $(, $module:literal)*) => {
        &[
            ("package.json", include_str!("javascript/package.json.in")),
            ("package-lock.json", include_str!("javascript/package-lock.json.in")),
            ("plugin.toml", include_str!(concat!("rust/", $folder, "/plugin.toml.in"))),
            ("src/plugin.js", include_str!(concat!("javascript/", $folder, "/plugin.js.in"))),
            (concat!("src/", $rule, ".js"), include_str!(concat!("javascript/", $folder, "/", $rule, ".js.in"))),
            $((concat!("src/", $module), include_str!(concat!("javascript/", $folder, "/", $module, ".in"))),)*
            (
                concat!("test/", $rule, ".test.js"),
                include_str!(concat!("javascript/", $folder, "/", $rule, ".test.js.in")),
            ),
            (
                concat!("types/", $export, ".d.ts"),
                include_str!(concat!("javascript/", $folder, "/", $export, ".d.ts")),
            ),
            $((concat!("types/", $import, ".d.ts"), include_str!(concat!("javascript/types/", $import, ".d.ts"))),)+
            ("cases/first.yaml", include_str!(concat!("rust/", $folder, "/first.yaml.in"))),
            ("question.yaml", include_str!(concat!("rust/", $folder, "/question.yaml.in"))),
            ("README.md", include_str!(concat!("javascript/", $folder, "/README.md.in"))),
            (".gitignore", "/node_modules\n/target\n"),
        ]
    };
}

/// Returns the files of a project of a kind.
pub(super) fn template(kind: Kind) -> Template {
    match kind {
        Kind::Tool => {
            template!("tool", "rule", "tool-rule", ["context", "library", "records", "knowledge", "http", "trace"])
        }
        Kind::Step => {
            template!("step", "step", "configuration-step", ["library", "records", "knowledge", "http", "trace"])
        }
        Kind::ToolStep => template!(
            "tool-step",
            "step",
            "evaluation-step",
            ["context", "library", "records", "knowledge", "http", "trace"]
        ),
        Kind::Upgrade => template!("upgrade", "step", "upgrade-step", ["library", "trace"], "columns.js"),
    }
}
