//! Why a command did not do what it was asked: one sentence, and an exit code.

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
    /// `error` and everything that led to it.
    pub(super) fn of(error: impl Error) -> Self {
        let mut sentence = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            // Some errors repeat their source; nobody needs to read it twice.
            let said = error.to_string();
            if !sentence.ends_with(&said) {
                sentence = format!("{sentence}: {said}");
            }
            cause = error.source();
        }
        Self { sentence, usage: false }
    }

    /// What failed, and why.
    pub(super) fn because(what: impl fmt::Display, error: impl Error) -> Self {
        let Self { sentence, usage } = Self::of(error);
        Self { sentence: format!("{what}: {sentence}"), usage }
    }

    /// What was found out is not what was hoped for.
    pub(super) fn found(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), usage: false }
    }

    /// Arguments that make no sense together.
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
