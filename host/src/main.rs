//! Arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    loadout::cli::run(std::env::args_os())
}
