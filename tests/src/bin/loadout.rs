//! The command line as a program of this package, so that its tests know where to find it.
//!
//! Of itself it tries what a process without rights cannot do, and is the other half of tests that kill a process.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use loadout_tests::{attempts, roles};

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if let [_, command, way, folder, address] = &*arguments
        && command == attempts::COMMAND
    {
        let done = attempts::run(way, Path::new(folder), &address.to_string_lossy());
        return if done.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    if let [_, role, folder] = &*arguments
        && let Some(done) = roles::play(&role.to_string_lossy(), Path::new(folder))
    {
        return match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                // A program without a standard error has no place to say so.
                let _ = writeln!(io::stderr(), "{error}");
                ExitCode::FAILURE
            }
        };
    }
    loadout::cli::run(arguments)
}
