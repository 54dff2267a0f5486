//! Why a component cannot be used, in sentences that name the next step.

use super::signature::SignatureError;
use crate::plugin::manifest::SettingsError;
use crate::plugin::manifest::error::ManifestError;

/// The version of the contract that is offered.
pub(in crate::plugin) const OFFERED_CONTRACT: &str = "0.1.0";

/// Why a component cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// Something else entirely.
    #[error("it is no WebAssembly component: it starts like something else")]
    NotWasm,
    /// WebAssembly text.
    #[error("it is WebAssembly text; give the binary form")]
    Text,
    /// A core module.
    #[error("it is a core module and no component; compile it for `wasm32-wasip2`")]
    CoreModule,
    /// A size is over its cap.
    #[error("it has {found} {what}; at most {limit} are allowed")]
    TooLarge {
        /// Of what.
        what: &'static str,
        /// How many there are.
        found: u64,
        /// How many there may be.
        limit: u64,
    },
    /// It breaks the binary format or is not valid.
    #[error("it is no valid component: {0}")]
    Malformed(String),
    /// No manifest.
    #[error("it has no manifest: `loadout plugin build` packs `plugin.toml` into it")]
    NoManifest,
    /// A bad manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// Its signatures cannot be read, or are not by whom they should be.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// Imports that its world does not have.
    #[error(
        "it imports {}, which a plugin for the world `{world}` is not offered; of `loadout:plugin` that world has {}: leave out what needs more",
        names(found),
        quoted(has)
    )]
    Imports {
        /// The imports.
        found: Vec<String>,
        /// What its manifest says.
        world: String,
        /// The interfaces of the contract in that world.
        has: &'static [&'static str],
    },
    /// Another generation of the contract.
    #[error(
        "it is built against {}, and this host offers `loadout:plugin` {OFFERED_CONTRACT}: build it with the SDK that `loadout plugin new` of this host \
         brings along, or install it on a host that offers what it wants",
        names(found)
    )]
    Generation {
        /// What it imports or exports of that generation.
        found: Vec<String>,
    },
    /// Another form of what the contract has.
    #[error(
        "it does not fit `loadout:plugin` {OFFERED_CONTRACT} as this host has it ({0}): build it with the SDK that `loadout plugin new` of this host brings \
         along, or install it on a newer host"
    )]
    Misfit(String),
    /// Exports of another world.
    #[error(
        "its manifest says `{world}`, which exports `{wanted}`, but it exports {}: say in `plugin.toml` which world it is built for",
        names(found)
    )]
    WrongWorld {
        /// What its manifest says.
        world: String,
        /// What that world exports.
        wanted: &'static str,
        /// What it exports.
        found: Vec<String>,
    },
    /// It could not be compiled, or does not fit the interfaces it names.
    #[error("it cannot be made ready: {0}")]
    Compile(String),
    /// It could be compiled, but not started.
    #[error("it does not start: {0}")]
    Trial(String),
    /// Compiling it costs too much.
    #[error("compiling it takes more than {0}: split it, or leave out what it does not need")]
    TooCostly(String),
    /// The host itself broke while it looked at it.
    #[error("this host broke over it, and is not to: please report this")]
    Broke,
    /// It was looked at before, and could not be used.
    #[error("{0}")]
    Before(String),
    /// It could not be looked at now. Not its fault.
    #[error("it was not made ready: {0}")]
    Unavailable(String),
    /// Its name is taken.
    #[error("`{0}` is there already")]
    NameTaken(String),
    /// A tool kind has a rule already.
    #[error("the rule of the tool kind `{kind}` is `{by}` already")]
    KindTaken {
        /// The kind.
        kind: String,
        /// The plugin that has it.
        by: String,
    },
}

impl From<SettingsError> for LoadError {
    fn from(error: SettingsError) -> Self {
        match error {
            SettingsError::Manifest(error) => error.into(),
            SettingsError::Unavailable(reason) => Self::Unavailable(reason),
        }
    }
}

pub(in crate::plugin) fn cap(what: &'static str, found: u64, limit: u64) -> Result<(), LoadError> {
    if found <= limit { Ok(()) } else { Err(LoadError::TooLarge { what, found, limit }) }
}

pub(in crate::plugin) fn names(names: &[String]) -> String {
    const SHOWN: usize = 5;
    match names.len() {
        0 => "nothing".to_owned(),
        count if count > SHOWN => format!("{} and {} more", quoted(&names[..SHOWN]), count - SHOWN),
        _ => quoted(names),
    }
}

pub(in crate::plugin) fn quoted(names: &[impl AsRef<str>]) -> String {
    names.iter().map(|name| format!("`{}`", name.as_ref().escape_debug())).collect::<Vec<_>>().join(", ")
}
