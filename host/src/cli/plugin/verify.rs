//! `loadout plugin verify`: prints what a component says it is, and the keys that signed it.
//!
//! Fails for a component that no environment would take, and for a required signature that is missing or does not hold.

use std::path::PathBuf;

use crate::cli::failure::Failure;
use crate::cli::{file, print};
use crate::domain::{PublicKey, TrustedPublisher, Unsigned};
use crate::plugin::{Loader, Signatures};

/// Print what a component is and who signed it; with a key, fail unless that signed it.
#[derive(Debug, clap::Args)]
pub(super) struct Verify {
    /// The component.
    #[arg(value_name = "FILE.wasm")]
    file: PathBuf,
    /// A public key that must have signed it, as `loadout plugin keygen` prints it; any of several.
    #[arg(long = "key", value_name = "PUBLIC")]
    keys: Vec<PublicKey>,
}

impl Verify {
    pub(super) fn run(self) -> Result<(), Failure> {
        let Self { file: path, keys } = self;
        let refused =
            |error: crate::plugin::LoadError| Failure::because(format!("`{}` is refused", path.display()), error);
        let component = file::read(&path)?;
        let manifest = Loader::inspect(&component).map_err(refused)?;
        let signatures = Signatures::of(&component).map_err(|error| refused(error.into()))?;
        print(&format!("plugin     {}\nversion    {}", manifest.full_name(), manifest.version))?;
        print(&format!("digest     {}", Loader::digest(&component)))?;
        for id in signatures.key_ids() {
            let key = keys.iter().find(|key| key.id() == id);
            let standing = match key.and_then(|key| signatures.by(key)) {
                Some(true) => "holds",
                Some(false) => "does not hold",
                None => "not looked at: give its public key with `--key`",
            };
            print(&format!("signed by  {id}, {standing}"))?;
        }
        if signatures.key_ids().next().is_none() {
            print("signed by  no key")?;
        }
        if keys.is_empty() {
            return Ok(());
        }
        let trusted = TrustedPublisher { name: String::new(), keys };
        signatures.check(&manifest.publisher, Some(&trusted), Unsigned::Refused).map_err(|error| refused(error.into()))
    }
}
