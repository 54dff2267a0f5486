//! The command line as a program of this package, so that its tests know where to find it.

use std::process::ExitCode;

fn main() -> ExitCode {
    loadout::cli::run(std::env::args_os())
}
