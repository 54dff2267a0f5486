//! `loadout plugin`: what authors of plugins and those who bring them need. Plugins are written, built, tried, signed,
//! installed and looked at.
//!
//! A private key and a token go nowhere but where they are meant to.

mod bench;
mod build;
mod bundle;
mod check;
mod dev;
mod harness;
mod install;
mod key;
mod list;
mod mutate;
mod new;
mod project;
mod remote;
mod replay;
mod run;
mod subject;
mod test;
mod trace;
mod verify;

use clap::Subcommand;

use super::failure::Failure;
use super::log::{self, LogFormat};

/// Write plugins, try them, sign them, install them, and look at their calls.
#[derive(Debug, clap::Args)]
pub(super) struct Plugin {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    New(new::New),
    Build(build::Build),
    Check(check::Check),
    Run(run::Run),
    Test(test::Test),
    Bench(bench::Bench),
    Dev(dev::Dev),
    Mutate(mutate::Mutate),
    Harness(harness::Harness),
    Install(install::Install),
    List(list::List),
    Trace(trace::Trace),
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
            Command::New(new) => new.run(),
            Command::Build(build) => build.run(),
            Command::Check(check) => check.run(),
            Command::Run(run) => run.run(),
            Command::Test(test) => test.run(),
            Command::Bench(bench) => bench.run(),
            Command::Dev(dev) => dev.run(),
            Command::Mutate(mutate) => mutate.run(),
            Command::Harness(harness) => harness.run(),
            Command::Install(install) => install.run(),
            Command::List(list) => list.run(),
            Command::Trace(trace) => trace.run(),
            Command::Keygen(keygen) => keygen.run(),
            Command::Sign(sign) => sign.run(),
            Command::Verify(verify) => verify.run(),
            Command::Export(export) => export.run(),
            Command::Import(import) => import.run(),
            Command::Replay(replay) => replay.run(),
        }
    }
}
