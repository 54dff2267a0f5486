//! The failure of a command: one sentence for standard error, and the exit code 1 or 2.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

/// A command that failed.
#[derive(Debug)]
pub(super) struct Failure {
    sentence: String,
    usage: bool,
}

impl Failure {
    /// Joins `error` and its chain of sources into one sentence.
    pub(super) fn of(error: impl Error) -> Self {
        let mut sentence = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            // Some errors repeat their source, which is left out the second time.
            let said = error.to_string();
            if !sentence.ends_with(&said) {
                sentence = format!("{sentence}: {said}");
            }
            cause = error.source();
        }
        Self { sentence, usage: false }
    }

    /// A failure with exit code 1: `what` failed, then why.
    pub(super) fn because(what: impl fmt::Display, error: impl Error) -> Self {
        let Self { sentence, usage } = Self::of(error);
        Self { sentence: format!("{what}: {sentence}"), usage }
    }

    /// A failure with exit code 1: the command ran, and its finding is bad.
    pub(super) fn found(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), usage: false }
    }

    /// A failure with exit code 2: arguments that make no sense together.
    pub(super) fn usage(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), usage: true }
    }

    pub(super) fn exit_code(&self) -> ExitCode {
        ExitCode::from(if self.usage { 2 } else { 1 })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}
