//! `loadout plugin`: keys, signatures, offline bundles, recorded calls. Keys and signatures need no data folder, and the private key goes
//! nowhere.

mod bundle;
mod key;
mod replay;
mod verify;

use clap::Subcommand;

use super::failure::Failure;
use super::log::{self, LogFormat};

/// Sign plugins, look at them, take them to environments without a network, and make recorded calls again.
#[derive(Debug, clap::Args)]
pub(super) struct Plugin {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Keygen(key::Keygen),
    Sign(key::Sign),
    Verify(verify::Verify),
    Export(bundle::Export),
    Import(bundle::Import),
    Replay(replay::Replay),
}

impl Plugin {
    pub(super) fn run(self) -> Result<(), Failure> {
        log::start(LogFormat::Text, tracing::Level::WARN);
        match self.command {
            Command::Keygen(keygen) => keygen.run(),
            Command::Sign(sign) => sign.run(),
            Command::Verify(verify) => verify.run(),
            Command::Export(export) => export.run(),
            Command::Import(import) => import.run(),
            Command::Replay(replay) => replay.run(),
        }
    }
}
