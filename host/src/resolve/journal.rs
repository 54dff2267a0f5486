//! The journal of a call: what it asked the host, with the whole of each answer.
//!
//! Enough to make the call again where nothing of the configuration is. Decides nothing, and answers only what was asked before.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One question to the host, and its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostCall {
    /// The function, such as `library.item`.
    pub call: String,
    /// Its arguments, in order.
    pub arguments: Vec<String>,
    /// The answer, in the form of the function.
    pub answer: Value,
}

/// What a call asked, each question once, in the order in which it was first asked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<HostCall>", into = "Vec<HostCall>")]
pub struct Journal {
    calls: Vec<HostCall>,
    /// Where each question is.
    places: HashMap<String, usize>,
}

impl Journal {
    /// The answer to a question, if it was asked.
    pub fn answer(&self, call: &str, arguments: &[&str]) -> Option<&Value> {
        let place = self.places.get(&key(call, arguments))?;
        self.calls.get(*place).map(|known| &known.answer)
    }

    /// The questions with their answers.
    pub fn calls(&self) -> &[HostCall] {
        &self.calls
    }

    /// Notes an answer. A question that was asked before has the same one.
    pub(super) fn note(&mut self, call: &str, arguments: &[&str], answer: impl FnOnce() -> Value) {
        if let Entry::Vacant(place) = self.places.entry(key(call, arguments)) {
            place.insert(self.calls.len());
            let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
            self.calls.push(HostCall { call: call.to_owned(), arguments, answer: answer() });
        }
    }
}

impl From<Vec<HostCall>> for Journal {
    fn from(calls: Vec<HostCall>) -> Self {
        let mut journal = Self::default();
        for HostCall { call, arguments, answer } in calls {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            journal.note(&call, &arguments, || answer);
        }
        journal
    }
}

impl From<Journal> for Vec<HostCall> {
    fn from(journal: Journal) -> Self {
        journal.calls
    }
}

/// Names a question: no two have the same name, because the length of each argument is part of it.
fn key(call: &str, arguments: &[&str]) -> String {
    arguments.iter().fold(call.to_owned(), |key, argument| format!("{key}\n{} {argument}", argument.len()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_question_has_its_own_answer_and_keeps_it() {
        let mut journal = Journal::default();
        for (arguments, answer) in [(&["a", "b"][..], 1), (&["a\n1 b"], 2), (&["a", "b"], 3), (&[], 4)] {
            journal.note("library.item", arguments, || json!(answer));
        }
        let again: Journal = serde_json::from_value(json!(journal)).unwrap();
        assert_eq!(again, journal);
        let answer = |arguments: &[&str]| again.answer("library.item", arguments).cloned();
        assert_eq!([answer(&["a", "b"]), answer(&["a\n1 b"]), answer(&[])], [1, 2, 4].map(|it| Some(json!(it))));
        assert_eq!((answer(&["a"]), again.answer("library.links", &["a", "b"])), (None, None));
    }
}
