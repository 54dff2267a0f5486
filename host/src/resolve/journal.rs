//! The journal of a call: every host call of the guest, with its whole answer.
//!
//! A replay needs the journal alone, without the configuration. The journal decides nothing, and answers only host
//! calls that it recorded.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One host call, and its answer.
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

/// The host calls of a call, in order. A read of the host's data is recorded once, because the data does not change
/// while the call lasts. A call to another system is recorded each time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<HostCall>", into = "Vec<HostCall>")]
pub struct Journal {
    calls: Vec<HostCall>,
    /// The places in `calls` of each host call.
    places: HashMap<String, Vec<usize>>,
    /// The size of the answers of other systems, in bytes of JSON.
    bytes: usize,
}

impl Journal {
    /// Returns the first recorded answer to a host call, if there is one.
    pub fn answer(&self, call: &str, arguments: &[&str]) -> Option<&Value> {
        self.answers(call, arguments).next()
    }

    /// Returns the recorded answers to a host call, one for each time it was recorded.
    pub fn answers(&self, call: &str, arguments: &[&str]) -> impl Iterator<Item = &Value> {
        let places = self.places.get(&key(call, arguments)).into_iter().flatten();
        places.filter_map(|place| Some(&self.calls.get(*place)?.answer))
    }

    /// Returns the size of the answers of other systems, in bytes of JSON. Zero for a journal that was read back.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns the host calls with their answers.
    pub fn calls(&self) -> &[HostCall] {
        &self.calls
    }

    /// Records the host's own answer, unless the same host call is recorded already: its answer is the same.
    pub(super) fn note(&mut self, call: &str, arguments: &[&str], answer: impl FnOnce() -> Value) {
        let places = self.places.entry(key(call, arguments)).or_default();
        if places.is_empty() {
            places.push(self.calls.len());
            let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
            self.calls.push(HostCall { call: call.to_owned(), arguments, answer: answer() });
        }
    }

    /// Records the answer of another system, also if the same call is recorded already.
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

/// Makes the key of a host call. Different calls have different keys, because a key holds the length of each argument.
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
