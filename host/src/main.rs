//! The program `loadout`: passes the arguments to the command line, and returns its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    loadout::cli::run(std::env::args_os())
}
