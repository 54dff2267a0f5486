//! The journal of a call: what it asked the host, with the whole of each answer.
//!
//! Enough to make the call again where nothing of the configuration is. Decides nothing, and answers only what was asked before.

use std::collections::HashMap;

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

/// What a call asked, in the order in which it was asked. What is read of the host is there once: it does not change while a call lasts.
/// What others were asked is there as often as they were.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<HostCall>", into = "Vec<HostCall>")]
pub struct Journal {
    calls: Vec<HostCall>,
    /// Where each question is.
    places: HashMap<String, Vec<usize>>,
    /// How large what others answered is, roughly.
    bytes: usize,
}

impl Journal {
    /// The answer to a question, if it was asked.
    pub fn answer(&self, call: &str, arguments: &[&str]) -> Option<&Value> {
        self.answers(call, arguments).next()
    }

    /// The answers to a question, one for each time it was asked.
    pub fn answers(&self, call: &str, arguments: &[&str]) -> impl Iterator<Item = &Value> {
        let places = self.places.get(&key(call, arguments)).into_iter().flatten();
        places.filter_map(|place| Some(&self.calls.get(*place)?.answer))
    }

    /// How large what others answered is, in bytes of JSON.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The questions with their answers.
    pub fn calls(&self) -> &[HostCall] {
        &self.calls
    }

    /// Notes what the host answered. A question that was asked before has the same answer.
    pub(super) fn note(&mut self, call: &str, arguments: &[&str], answer: impl FnOnce() -> Value) {
        let places = self.places.entry(key(call, arguments)).or_default();
        if places.is_empty() {
            places.push(self.calls.len());
            let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
            self.calls.push(HostCall { call: call.to_owned(), arguments, answer: answer() });
        }
    }

    /// Notes what somebody else answered this time.
    pub(super) fn note_again(&mut self, call: &str, arguments: &[&str], answer: Value) {
        self.bytes = self.bytes.saturating_add(answer.to_string().len());
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        self.push(HostCall { call: call.to_owned(), arguments, answer });
    }

    fn push(&mut self, call: HostCall) {
        let arguments: Vec<&str> = call.arguments.iter().map(String::as_str).collect();
        self.places.entry(key(&call.call, &arguments)).or_default().push(self.calls.len());
        self.calls.push(call);
    }
}

impl From<Vec<HostCall>> for Journal {
    fn from(calls: Vec<HostCall>) -> Self {
        let mut journal = Self::default();
        calls.into_iter().for_each(|call| journal.push(call));
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

    #[test]
    fn who_is_asked_again_may_answer_otherwise() {
        let mut journal = Journal::default();
        for (call, answer) in [("http.send", "busy"), ("records.look-up", "x"), ("http.send", "done")] {
            journal.note_again(call, &["a"], json!(answer));
        }
        let again: Journal = serde_json::from_value(json!(journal)).unwrap();
        assert_eq!(journal.bytes(), r#""busy""x""done""#.len());
        for journal in [&journal, &again] {
            assert!(journal.answers("http.send", &["a"]).eq(["busy", "done"]));
        }
    }
}
