//! The files of projects in Rust.

use super::{Kind, Template};

/// The template in a folder.
macro_rules! template {
    ($folder:literal) => {
        &[
            ("Cargo.toml", include_str!("rust/Cargo.toml.in")),
            ("plugin.toml", include_str!(concat!("rust/", $folder, "/plugin.toml.in"))),
            ("src/lib.rs", include_str!(concat!("rust/", $folder, "/lib.rs.in"))),
            ("cases/first.yaml", include_str!(concat!("rust/", $folder, "/first.yaml.in"))),
            ("question.yaml", include_str!(concat!("rust/", $folder, "/question.yaml.in"))),
            ("README.md", include_str!(concat!("rust/", $folder, "/README.md.in"))),
            (".gitignore", "/target\n"),
        ]
    };
}

/// Returns the files of a project of a kind.
pub(super) fn template(kind: Kind) -> Template {
    match kind {
        Kind::Tool => template!("tool"),
        Kind::Step => template!("step"),
        Kind::ToolStep => template!("tool-step"),
        Kind::Upgrade => template!("upgrade"),
    }
}
