//! Programs of a language that make a component, and how they are told where to write.
//!
//! Their output goes to standard error: standard output belongs to the command that asked for a build.

use std::io;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use crate::cli::failure::Failure;

/// A program that is started for a project.
pub(super) struct Tool {
    command: Command,
    shown: String,
    /// What to install where it is not there.
    missing: &'static str,
}

impl Tool {
    /// A program that works in a project's folder.
    pub(super) fn new(program: impl AsRef<Path>, folder: &Path, missing: &'static str) -> Self {
        let program = program.as_ref();
        let mut command = Command::new(program);
        command.current_dir(folder).stdin(Stdio::null());
        let shown = program.file_name().unwrap_or_default().display().to_string();
        Self { command, shown, missing }
    }

    pub(super) fn args<'a>(mut self, arguments: impl IntoIterator<Item = &'a str>) -> Self {
        self.command.args(arguments);
        self
    }

    pub(super) fn env(mut self, name: &str, value: &Path) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it to its end. Whatever it says is on standard error before the sentence that it failed.
    pub(super) fn run(self) -> Result<(), Failure> {
        let shown = self.shown.clone();
        match self.status()? {
            status if status.success() => Ok(()),
            status => Err(Failure::found(format!("`{shown}` failed ({status}), and said above why"))),
        }
    }

    /// Runs it to its end, and tells whether it succeeded. Only what cannot be started is a failure.
    pub(super) fn succeeds(self) -> Result<bool, Failure> {
        Ok(self.status()?.success())
    }

    fn status(mut self) -> Result<ExitStatus, Failure> {
        // A stack of the tool's own says nothing to an author.
        self.command.env("RUST_BACKTRACE", "0").stdout(Stdio::from(io::stderr()));
        let shown = &self.shown;
        self.command.status().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Failure::found(format!("`{shown}` is not there: install {}", self.missing)),
            _ => Failure::because(format!("`{shown}` could not be started"), error),
        })
    }
}
