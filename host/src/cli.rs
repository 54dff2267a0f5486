//! The command line: arguments in, exit code out. One file per sub-command, each thin over the library.
//!
//! Results go to standard output, everything else to standard error. Exit codes: 0 done, 1 failed, 2 wrong usage,
//! 3 done but for rows in quarantine.

mod admin_token;
mod compile;
mod descriptors;
mod ending;
mod export;
mod failure;
mod file;
mod import;
mod log;
mod otlp;
mod outbound;
mod plugin;
mod resolve;
mod serve;
mod stop;
mod token;
mod upgrade;
mod visible;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::plugin::{Config, Gateway, Work};
use crate::service::{PlatformOptions, Service};
use crate::store::Store;

use ending::{Ending, done};
use failure::Failure;
use visible::visible;

/// A service for experience profiles: what does this person get, and why?
#[derive(Debug, Parser)]
#[command(name = "loadout", version, propagate_version = true, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// The exit codes, at the end of the help text.
const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done but for rows in quarantine";

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Resolve(resolve::Resolve),
    Import(import::Import),
    Upgrade(upgrade::Upgrade),
    Export(export::Export),
    Plugin(plugin::Plugin),
    Token(token::Token),
    #[command(name = crate::plugin::COMPILE_COMMAND, hide = true)]
    Compile(compile::Child),
    #[command(name = crate::plugin::TRY_COMMAND, hide = true)]
    Try(compile::Child),
}

/// Where the data folder is, for every sub-command that needs one.
#[derive(Debug, clap::Args)]
struct Data {
    /// The data folder; `serve` and `import` make it if it is not there.
    #[arg(long = "data", value_name = "DIR", default_value = "./data")]
    folder: PathBuf,
}

/// Runs the command that `arguments` name, and returns its exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help goes to standard output and is no failure; wrong usage goes to standard error and ends in 2.
            let printed = error.print().is_ok();
            return if printed && !error.use_stderr() { ExitCode::SUCCESS } else { ExitCode::from(2) };
        }
    };
    let ended: Result<Ending, Failure> = match arguments.command {
        Command::Serve(serve) => done(serve.run()),
        Command::Resolve(resolve) => done(resolve.run()),
        Command::Import(import) => import.run(),
        Command::Upgrade(upgrade) => upgrade.run(),
        Command::Export(export) => done(export.run()),
        Command::Plugin(plugin) => done(plugin.run()),
        Command::Token(token) => done(token.run()),
        Command::Compile(child) => done(child.run(Work::Compile)),
        Command::Try(child) => done(child.run(Work::Try)),
    };
    match ended {
        Ok(ending) => ending.exit_code(),
        Err(failure) => {
            // If even standard error is closed, the exit code says all that can be said.
            let _ = writeln!(io::stderr(), "error: {}", visible(&failure.to_string()));
            failure.exit_code()
        }
    }
}

impl Data {
    /// Opens the service over the data folder, and makes the folder if it is not there.
    fn open(&self) -> Result<Service, Failure> {
        files_are_for_their_owner();
        Service::start(&self.folder).map_err(Failure::of)
    }

    /// Does the same, and lets the plugins of the service make requests through `gateway`.
    fn open_with(&self, gateway: Gateway) -> Result<Service, Failure> {
        files_are_for_their_owner();
        let PlatformOptions { config, compiler } = PlatformOptions::of_this_program();
        let options = PlatformOptions { config: Config { gateway, ..config }, compiler };
        Service::start_with(&self.folder, options).map_err(Failure::of)
    }

    /// Opens the service over a data folder that exists. Refuses any other, so that a mistyped folder is not made.
    fn open_existing(&self) -> Result<Service, Failure> {
        self.must_exist()?;
        self.open()
    }

    /// Opens the service over an existing data folder, for commands that change nothing in its database.
    fn look(&self) -> Result<Service, Failure> {
        files_are_for_their_owner();
        self.must_exist()?;
        Service::look(&self.folder).map_err(Failure::of)
    }

    fn must_exist(&self) -> Result<(), Failure> {
        // A folder that cannot be looked into is opened for the error that says why.
        if self.folder.join(Store::FILE).try_exists().unwrap_or(true) {
            return Ok(());
        }
        let shown = self.folder.display();
        Err(Failure::usage(format!(
            "there is no environment in `{shown}`: name another folder with `--data`, or make one with `loadout serve` or `loadout import`"
        )))
    }
}

/// Lets only the owner read the files that this process writes from now on, those of the data folder above all.
fn files_are_for_their_owner() {
    #[cfg(unix)]
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
}

/// Prints text to standard output, and ends the line. Escapes control characters of terminals.
fn print(line: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", visible(line))
        .and_then(|()| out.flush())
        .map_err(|error| Failure::because("standard output is closed", error))
}
