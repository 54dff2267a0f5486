//! The explain tree and the warnings, collected while an answer is made.

use std::sync::Arc;

use crate::domain::Effort;
use crate::domain::experience::{ExplainLevel, Explanation, Outcome, Warning};

use super::Error;

/// What an answer says about itself.
#[derive(Debug)]
pub(super) struct Account {
    level: ExplainLevel,
    effort: Arc<Effort>,
    lines: Vec<Explanation>,
    warnings: Vec<Warning>,
}

impl Account {
    pub(super) fn new(level: ExplainLevel, effort: Arc<Effort>) -> Self {
        Self { level, effort, lines: Vec::new(), warnings: Vec::new() }
    }

    /// What the request has cost.
    pub(super) fn effort(&self) -> &Arc<Effort> {
        &self.effort
    }

    /// Whether the answer is still waited for. What is as long as the configuration is large asks again and again.
    pub(super) fn go_on(&self) -> Result<(), Error> {
        if self.effort.is_given_up() { Err(Error::GivenUp) } else { Ok(()) }
    }

    /// Adds a line, with what it rests on if that was asked for. Lines that are not asked for are never made.
    pub(super) fn line(&mut self, line: impl FnOnce() -> Explanation) {
        match self.level {
            ExplainLevel::None => {}
            ExplainLevel::Reasons => self.lines.push(Explanation { under: Vec::new(), ..line() }),
            ExplainLevel::Full => self.lines.push(line()),
        }
    }

    /// Adds something an administrator should mend, once.
    pub(super) fn warn(&mut self, code: &str, message: String) {
        let warning = Warning { code: code.to_owned(), message };
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// Warns of slugs without a value.
    pub(super) fn unresolved(&mut self, place: &str, slugs: &[String]) {
        for slug in slugs {
            self.warn("slug-unresolved", format!("`{slug}` in {place} has no value in this session"));
        }
    }

    pub(super) fn into_parts(self) -> (Vec<Warning>, Vec<Explanation>) {
        (self.warnings, self.lines)
    }
}

/// A line about `about`.
pub(super) fn line(about: &str, subject: Option<&str>, outcome: Outcome, because: impl Into<String>) -> Explanation {
    let subject = subject.map(str::to_owned);
    Explanation { about: about.to_owned(), subject, outcome, because: because.into(), under: Vec::new() }
}
