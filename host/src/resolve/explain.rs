//! The explain tree and the warnings, collected while an answer is made.

use crate::domain::experience::{ExplainLevel, Explanation, Outcome, Warning};

/// What an answer says about itself.
#[derive(Debug)]
pub(super) struct Account {
    level: ExplainLevel,
    lines: Vec<Explanation>,
    warnings: Vec<Warning>,
}

impl Account {
    pub(super) fn new(level: ExplainLevel) -> Self {
        Self { level, lines: Vec::new(), warnings: Vec::new() }
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
