//! Compiles plugins to WebAssembly components, writes their manifest into them, and signs them.
//!
//! For build scripts that ship plugins inside a binary. Does not read the text of a manifest:
//! the host does. Never builds into the target folder of the cargo that runs it, which would wait for itself.
//!
//! A build script that compiles two plugins of its workspace:
//!
//! ```no_run
//! use loadout_plugin_build::{Guests, embed_manifest};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let guests = Guests::from_build_script("../../Cargo.toml")?.packages(["my-tool", "my-other-tool"]);
//! for guest in guests.build()? {
//!     let manifest = std::fs::read_to_string(guest.folder.join("plugin.toml"))?;
//!     let component = embed_manifest(&std::fs::read(&guest.component)?, &manifest)?;
//!     // Write `component` into `OUT_DIR`.
//! }
//! # Ok(())
//! # }
//! ```

mod cargo;
mod environment;
mod key;
mod section;
mod signature;
mod target;

pub use cargo::{Guest, Guests};
pub use key::PrivateKey;
pub use section::{MANIFEST_SECTION, embed_manifest, manifest_of};
pub use signature::{SIGNATURE_SECTION, SIGNATURES_MAX, sign};
pub use target::TARGET;

use std::io;
use std::path::PathBuf;

/// The error of a build or a signature.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A program could not be started.
    #[error("`{program}` could not be started; is it on the PATH?")]
    Start {
        /// The program.
        program: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The standard library for components is missing and could not be installed.
    #[error("the target `{TARGET}` is not installed; type: rustup target add {TARGET}")]
    NoTarget,
    /// The plugins do not compile; cargo has said why on standard error.
    #[error("the plugins do not compile: {command}")]
    Compile {
        /// The command that failed.
        command: String,
    },
    /// The build left no component behind for something that was asked for.
    #[error("`{asked}` gave no component; has it `crate-type = [\"cdylib\"]`?")]
    NoComponent {
        /// A package, or the package whose examples were asked for.
        asked: String,
    },
    /// A variable that cargo sets for build scripts is missing.
    #[error("`{0}` is not set; this function is for build scripts")]
    NotABuildScript(&'static str),
    /// The file is no component.
    #[error("this is no WebAssembly component: {0}")]
    NotAComponent(&'static str),
    /// The component cannot get a signature.
    #[error("this component cannot be signed: {0}")]
    Signature(&'static str),
    /// The text is no private key.
    #[error("this is no Ed25519 private key in PEM ({0}): `loadout plugin keygen` makes one")]
    NotAKey(String),
    /// There is nothing to make a key of.
    #[error("the operating system gives no randomness: {0}")]
    NoRandomness(String),
}
