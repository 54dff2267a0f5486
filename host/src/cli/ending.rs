//! How a successful command ended: with all rows, or with some rows in quarantine.

use std::io::{self, Write};
use std::process::ExitCode;

use super::failure::Failure;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// All of it was done.
    Done,
    /// It was done but for rows that are in quarantine, and the caller did not allow that.
    Quarantined,
}

/// Whether rows may be left behind.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Allowance {
    /// End with exit code 0 although rows are in quarantine; without it, the code is 3.
    #[arg(long)]
    allow_quarantine: bool,
}

impl Ending {
    /// The exit code of the program.
    pub(super) fn exit_code(self) -> ExitCode {
        match self {
            Self::Done => ExitCode::SUCCESS,
            Self::Quarantined => ExitCode::from(3),
        }
    }
}

impl Allowance {
    /// Returns the end of a command that left `count` rows in quarantine, and warns on standard error if there are any.
    pub(super) fn end(self, count: u64) -> Ending {
        if count == 0 {
            return Ending::Done;
        }
        let rows = if count == 1 { "1 row is".to_owned() } else { format!("{count} rows are") };
        if self.allow_quarantine {
            say(&format!("warning: {rows} in quarantine"));
            return Ending::Done;
        }
        say(&format!(
            "warning: {rows} in quarantine: mend the archive and do it again, or accept that with `--allow-quarantine`"
        ));
        Ending::Quarantined
    }
}

fn say(sentence: &str) {
    // If standard error is closed, the exit code says the same.
    let _ = writeln!(io::stderr(), "{sentence}");
}

/// Returns the end of a command that has no rows: done, or failed.
pub(super) fn done(done: Result<(), Failure>) -> Result<Ending, Failure> {
    done.map(|()| Ending::Done)
}
