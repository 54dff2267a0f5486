//! The explain tree, the warnings and the values of slugs, collected while an answer is made. Each has a bound, so that
//! an answer stays small whatever the configuration and the context hold.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use crate::domain::Effort;
use crate::domain::experience::{ExplainLevel, Explanation, Outcome, Warning};
use crate::domain::slug::{Lookup, Rendered, Values};

use super::queries::{Asked, Queries, Told};
use super::{Error, Facts};

/// Most warnings of an answer. A last warning gives the number of further ones.
pub(super) const WARNINGS_MAX: usize = 100;

/// Most different warnings that are counted.
const COUNTED_MAX: usize = 10_000;

/// Most lines of the explain tree of an answer. A last line gives the number of lines left out.
pub(super) const LINES_MAX: usize = 10_000;

/// Most bytes of the values that are put into the texts of an answer in place of slugs.
pub(super) const VALUES_MAX: usize = 1 << 20;

/// Longest sentence of a warning or a line, in characters.
const SENTENCE_MAX: usize = 2_000;

/// The explain tree, the warnings and the cost of one answer.
pub(super) struct Account<'a> {
    /// The look-ups of business records that slugs ask for.
    queries: Asked<'a>,
    level: ExplainLevel,
    effort: Arc<Effort>,
    lines: Vec<Explanation>,
    /// The number of lines in all trees together, those left out included.
    made: usize,
    /// The number of lines that were left out.
    left_out: usize,
    warnings: Vec<Warning>,
    /// Hashes of all warnings, those included that are only counted.
    known: HashSet<u64>,
    /// The number of bytes that values may still take.
    room: usize,
    is_full: bool,
}

impl<'a> Account<'a> {
    pub(super) fn new(level: ExplainLevel, effort: Arc<Effort>) -> Self {
        Self {
            queries: Asked::default(),
            level,
            effort,
            lines: Vec::new(),
            made: 0,
            left_out: 0,
            warnings: Vec::new(),
            known: HashSet::new(),
            room: VALUES_MAX,
            is_full: false,
        }
    }

    /// Sets the way to look up business records.
    pub(super) fn asking(self, queries: Option<Box<dyn Queries + 'a>>) -> Self {
        Self { queries: Asked::of(queries), ..self }
    }

    /// Returns the cost of the request so far.
    pub(super) fn effort(&self) -> &Arc<Effort> {
        &self.effort
    }

    /// Fails once the caller has given up the request. Loops over the configuration call it again and again.
    pub(super) fn go_on(&self) -> Result<(), Error> {
        if self.effort.is_given_up() { Err(Error::GivenUp) } else { Ok(()) }
    }

    /// Tells whether the caller asked for the lines under a line.
    pub(super) fn explains_fully(&self) -> bool {
        self.level == ExplainLevel::Full
    }

    /// Adds a line, with the lines under it at the level `full`. Does not call `line` at the level `none`.
    pub(super) fn line(&mut self, line: impl FnOnce() -> Explanation) {
        let mut line = match self.level {
            ExplainLevel::None => return,
            ExplainLevel::Reasons => Explanation { under: Vec::new(), ..line() },
            ExplainLevel::Full => line(),
        };
        let room = LINES_MAX.saturating_sub(self.made);
        self.made = self.made.saturating_add(weight(&line));
        if room == 0 {
            self.left_out = self.left_out.saturating_add(weight(&line));
            return;
        }
        self.left_out = self.left_out.saturating_add(cut(&mut line.under, room - 1));
        self.lines.push(line);
    }

    /// Adds a warning about a fault that an administrator should mend. Adds an equal warning only once.
    pub(super) fn warn(&mut self, code: &str, message: String) {
        let mut hasher = DefaultHasher::new();
        (code, &message).hash(&mut hasher);
        if self.known.len() < COUNTED_MAX && self.known.insert(hasher.finish()) && self.warnings.len() < WARNINGS_MAX {
            self.warnings.push(Warning { code: code.to_owned(), message: shortened(message) });
        }
    }

    /// Replaces the slugs of a text by values, as far as the answer has room for them.
    pub(super) fn render(&mut self, facts: &Facts, text: &str) -> Rendered {
        self.with_values(facts, |values| facts.render_by(text, values))
    }

    /// Hands the values of slugs to `work`, as far as the answer has room for them, and returns its result.
    pub(super) fn with_values<T>(&mut self, facts: &Facts, work: impl FnOnce(&mut dyn Values) -> T) -> T {
        let queries = &mut self.queries;
        let mut values = SessionValues { facts, room: self.room, is_enough: true, queries, told: Vec::new() };
        let done = work(&mut values);
        let SessionValues { room, is_enough, told, .. } = values;
        self.room = room;
        for (slug, told) in told {
            match told {
                Ok(note) => self.line(|| line("query", Some(&slug), Outcome::Read, note)),
                Err(reason) => self.warn("query-unanswered", format!("`{slug}` has no value: {reason}")),
            }
        }
        if !is_enough && !self.is_full {
            self.is_full = true;
            let most = VALUES_MAX >> 10;
            self.warn(
                "answer-too-large",
                format!("the values of slugs take more than {most} KiB in this answer, so no more of them are put in: use fewer slugs, or a shorter context"),
            );
        }
        done
    }

    /// Warns of slugs that have no value. `place` names the text that they are in.
    pub(super) fn unresolved(&mut self, place: &str, slugs: &[String]) {
        // The warning `answer-too-large` already says why there is no value.
        if self.is_full {
            return;
        }
        for slug in slugs {
            self.warn("slug-unresolved", format!("`{slug}` in {place} has no value in this session"));
        }
    }

    pub(super) fn into_parts(mut self) -> (Vec<Warning>, Vec<Explanation>) {
        let more = self.known.len().saturating_sub(self.warnings.len());
        if more > 0 {
            let least = if self.known.len() < COUNTED_MAX { "" } else { "at least " };
            let message = format!("and {least}{more} more: mend those that are named first");
            self.warnings.push(Warning { code: "more-warnings".to_owned(), message });
        }
        if self.left_out > 0 {
            let because = format!("{} more lines are left out: an answer has {LINES_MAX} at most", self.left_out);
            self.lines.push(line("explain", None, Outcome::LeftOut, because));
        }
        (self.warnings, self.lines)
    }
}

/// The values of one session, as far as the answer has room for them.
struct SessionValues<'a, 'b> {
    facts: &'a Facts,
    room: usize,
    is_enough: bool,
    queries: &'a mut Asked<'b>,
    told: Vec<Told>,
}

impl SessionValues<'_, '_> {
    /// Takes the room for a value of this length. Returns false if there is not enough.
    fn takes(&mut self, length: usize) -> bool {
        let left = self.room.checked_sub(length);
        self.is_enough &= left.is_some();
        self.room = left.unwrap_or(self.room);
        left.is_some()
    }
}

impl Values for SessionValues<'_, '_> {
    fn key(&mut self, key: &str) -> Option<String> {
        let value = self.facts.value(key)?;
        self.takes(value.len()).then(|| value.clone())
    }

    fn look_up(&mut self, lookup: Lookup) -> Option<String> {
        let (value, told) = self.queries.look_up(lookup);
        self.told.extend(told);
        value.filter(|value| self.takes(value.len()))
    }
}

/// Counts a line and all lines under it.
fn weight(line: &Explanation) -> usize {
    line.under.iter().map(weight).fold(1, usize::saturating_add)
}

/// Keeps the first `room` lines, those under them included. Returns the number of lines taken out.
fn cut(lines: &mut Vec<Explanation>, mut room: usize) -> usize {
    let mut left_out = 0;
    lines.retain_mut(|line| {
        if room == 0 {
            left_out += weight(line);
            return false;
        }
        room -= 1;
        left_out += cut(&mut line.under, room);
        room -= weight(line) - 1;
        true
    });
    left_out
}

/// Cuts a sentence to [`SENTENCE_MAX`] characters.
fn shortened(sentence: String) -> String {
    match sentence.char_indices().nth(SENTENCE_MAX) {
        None => sentence,
        Some((end, _)) => format!("{}…", &sentence[..end]),
    }
}

/// Makes a line about `about`, with no lines under it.
pub(super) fn line(about: &str, subject: Option<&str>, outcome: Outcome, because: impl Into<String>) -> Explanation {
    let subject = subject.map(str::to_owned);
    Explanation { about: about.to_owned(), subject, outcome, because: shortened(because.into()), under: Vec::new() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn account(level: ExplainLevel) -> Account<'static> {
        Account::new(level, Arc::default())
    }

    #[test]
    fn of_warnings_a_hundred_are_named_and_the_others_counted_each_once() {
        for (distinct, named, last) in [
            (WARNINGS_MAX, WARNINGS_MAX, "warning 99"),
            (WARNINGS_MAX + 7, WARNINGS_MAX + 1, "and 7 more: mend those that are named first"),
            (50_000, WARNINGS_MAX + 1, "and at least 9900 more: mend those that are named first"),
        ] {
            let mut account = account(ExplainLevel::None);
            for _ in 0..2 {
                (0..distinct).for_each(|at| account.warn("slug-unresolved", format!("warning {at}")));
            }
            assert!(account.known.len() <= COUNTED_MAX);
            let (warnings, _) = account.into_parts();
            let end = warnings.last().map(|warning| warning.message.as_str());
            assert_eq!((warnings.len(), end), (named, Some(last)), "of {distinct}");
        }
        let mut account = account(ExplainLevel::None);
        account.warn("tab-left-out", "x".repeat(1 << 20));
        assert_eq!(account.into_parts().0[0].message.chars().count(), SENTENCE_MAX + 1);
    }

    #[test]
    fn values_are_put_in_as_long_as_the_answer_has_room_for_them() {
        let value = "x".repeat(60_000);
        let facts = Facts { context: BTreeMap::from([("a".to_owned(), value)]), ..Facts::default() };
        let mut account = account(ExplainLevel::None);
        let mut bytes = 0;
        for at in 0..1_000 {
            let rendered = account.render(&facts, "{a}");
            account.unresolved(&format!("parameter `{at}`"), &rendered.unresolved);
            bytes += rendered.text.len();
        }
        assert!((VALUES_MAX - 60_000..=VALUES_MAX).contains(&bytes), "{bytes}");
        let codes: Vec<_> = account.into_parts().0.into_iter().map(|warning| warning.code).collect();
        assert_eq!(codes, ["answer-too-large"], "one warning is enough");
    }

    #[test]
    fn the_explain_tree_has_an_end_that_says_how_much_is_left_out() {
        let one = |under: usize| Explanation {
            under: (0..under).map(|_| line("read", None, Outcome::Read, "yes")).collect(),
            ..line("tool", None, Outcome::Shown, "so it is")
        };
        let mut account = account(ExplainLevel::Full);
        account.line(|| one(LINES_MAX - 10));
        account.line(|| Explanation { under: vec![one(3), one(8)], ..one(0) });
        account.line(|| one(5));
        let (_, lines) = account.into_parts();
        // 9,991 and 14 and 6 lines, of which 10,000 are kept.
        assert_eq!(
            lines.last().map(|line| line.because.as_str()),
            Some("11 more lines are left out: an answer has 10000 at most")
        );
        assert_eq!(lines.iter().map(weight).sum::<usize>(), LINES_MAX + 1);
    }

    #[test]
    fn an_answer_is_not_gone_on_with_once_it_is_given_up() {
        let account = account(ExplainLevel::None);
        assert_eq!(account.go_on(), Ok(()));
        account.effort().give_up();
        assert_eq!(account.go_on(), Err(Error::GivenUp));
    }
}
