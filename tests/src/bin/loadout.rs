//! The command line as a program of this package, so that its tests know where to find it.
//!
//! Of itself it has one sub-command, which tries what a process without rights cannot do.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use loadout_tests::attempts;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if let [_, command, way, folder, address] = &*arguments
        && command == attempts::COMMAND
    {
        let done = attempts::run(way, Path::new(folder), &address.to_string_lossy());
        return if done.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    loadout::cli::run(arguments)
}
