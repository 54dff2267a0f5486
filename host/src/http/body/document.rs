//! JSON that callers send: weighs a text before it is parsed, and parses it.
//!
//! A text is weighed before anything is made of it: one pass counts its values, and what they take in memory at the
//! worst. More values than [`VALUES_MAX`] are refused. A text of more than [`SMALL`] bytes is worked on where blocking
//! is allowed, since making values of it takes as long as it is large, and the threads that carry all connections are
//! few.

use std::ops::AddAssign;

use axum::http::StatusCode;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::unambiguous::Unambiguous;
use crate::domain::shape::{LIST_FOR_OBJECT, list_for_object};
use crate::http::problem::Refusal;

/// Most bytes of a text that is worked on at once, on the thread of the connection.
pub(in crate::http) const SMALL: usize = 32 * 1024;

/// Most values of one text: what is in an import has the same limit.
pub(in crate::http) const VALUES_MAX: usize = 100_000;

/// Bytes that an object takes at most, with its first attribute.
const OBJECT: usize = 768;
/// Bytes that a list takes at most, with its first value.
const LIST: usize = 320;
/// Bytes that one more value takes at most, with its name.
const VALUE: usize = 256;

/// What there is in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) struct Weight {
    /// How many values.
    values: usize,
    /// How many bytes they take in memory, at most.
    bytes: usize,
}

impl AddAssign<usize> for Weight {
    fn add_assign(&mut self, bytes: usize) {
        self.values += 1;
        self.bytes += bytes;
    }
}

impl Weight {
    /// Weighs `text`, whether it is JSON or not.
    pub(in crate::http) fn of(text: &[u8]) -> Self {
        // Whatever is in strings, they take what they are, once as text and once as value.
        let mut weight = Self { values: 1, bytes: 2 * text.len() };
        let (mut in_string, mut escaped) = (false, false);
        for byte in text {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_string => escaped = true,
                b'"' => in_string = !in_string,
                _ if in_string => {}
                b'{' => weight += OBJECT,
                b'[' => weight += LIST,
                b',' => weight += VALUE,
                _ => {}
            }
        }
        weight
    }

    /// How many bytes what is made of the text takes. Refuses what has too many values.
    pub(in crate::http) fn bytes(self) -> Result<usize, Refusal> {
        if self.values > VALUES_MAX {
            let detail = format!(
                "the body has more than {VALUES_MAX} values, the most that one body may have: send them in several requests"
            );
            return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", detail));
        }
        Ok(self.bytes)
    }
}

/// The value of a text. A key that stands twice in one object is refused: which of the two counts is not to be guessed.
pub(in crate::http) fn value(text: &[u8]) -> Result<Value, Refusal> {
    serde_json::from_slice(text).map(|Unambiguous(value)| value).map_err(|error| malformed(&error))
}

/// The `T` that a text says. What is broken JSON anywhere is told so first, and then what is not a `T`.
pub(in crate::http) fn typed<T: Serialize + DeserializeOwned>(text: &[u8]) -> Result<T, Refusal> {
    let sent = value(text)?;
    let mut reader = serde_json::Deserializer::from_slice(text);
    let error = match serde_path_to_error::deserialize(&mut reader) {
        Ok(made) => {
            return match list_for_object(&sent, &made) {
                None => Ok(made),
                Some(path) => Err(Refusal::request(&path, LIST_FOR_OBJECT)),
            };
        }
        Err(error) => error,
    };
    let path = error.path().to_string();
    let error = error.into_inner();
    // The path says where, in words that do not change with blanks.
    let (position, message) = (format!(" at line {} column {}", error.line(), error.column()), error.to_string());
    let message = message.strip_suffix(&position).unwrap_or(&message);
    Err(Refusal::request(if path == "." { "" } else { &path }, message))
}

fn malformed(error: &serde_json::Error) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "malformed-json", format!("the body is not JSON: {error}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Asked {
        context: BTreeMap<String, String>,
    }

    fn refused(text: &str) -> (u16, String) {
        let refusal = typed::<Asked>(text.as_bytes()).unwrap_err();
        (refusal.status().as_u16(), refusal.detail().to_owned())
    }

    #[test]
    fn values_are_counted_outside_of_strings() {
        let values = |text: &str| Weight::of(text.as_bytes()).values;
        assert_eq!(values(r#"["a", {"b": [1, 2]}]"#), 6, "a list in two commas, an object in it, and the whole");
        assert_eq!(values(r#""[{,\"[{,\\""#), 1);
        assert_eq!(values(r#"["\\", 1]"#), 3);
    }

    #[test]
    fn a_text_of_many_values_is_refused_before_they_are_made() {
        let list = |values: usize| format!("[{}0]", "0,".repeat(values));
        assert!(Weight::of(list(VALUES_MAX - 2).as_bytes()).bytes().is_ok());
        let refusal = Weight::of(list(VALUES_MAX - 1).as_bytes()).bytes().unwrap_err();
        assert_eq!(refusal.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }

    #[test]
    fn a_key_that_stands_twice_is_named() {
        assert_eq!(
            value(br#"{"a": [{"b": 1.5}, null, "x"]}"#).unwrap(),
            serde_json::json!({"a": [{"b": 1.5}, null, "x"]})
        );
        for (text, expected) in [
            (r#"{"a": 1, "a": 1}"#, "the body is not JSON: duplicate key `a` at line 1 column 12"),
            (r#"{"x": [{"b": {}, "b": []}]}"#, "the body is not JSON: duplicate key `b` at line 1 column 20"),
            (r#"{"a": 1, "b": 1"#, "the body is not JSON: EOF while parsing an object at line 1 column 15"),
        ] {
            let refusal = value(text.as_bytes()).unwrap_err();
            assert_eq!((refusal.status().as_u16(), refusal.detail()), (400, expected), "{text}");
        }
    }

    #[test]
    fn broken_json_is_told_before_what_does_not_fit() {
        assert!(typed::<Asked>(br#"{"context": {"a": "b"}}"#).is_ok());
        for broken in [
            r#"{"context": {}, "context": {}}"#,
            r#"{"contxt": 1"#,
            r#"{"context": {"a": 1}"#,
            r#"{"context": {}} x"#,
            r#"{"context": {"a": tru}}"#,
            "",
        ] {
            assert_eq!(refused(broken).0, 400, "{broken}");
        }
        for (text, expected) in [
            (r#"{"contxt": 1}"#, "`contxt`: unknown field `contxt`, expected `context`"),
            ("{\n\"context\": {\"a\": 1}}", "`context.a`: invalid type: integer `1`, expected a string"),
            ("{}", "missing field `context`"),
        ] {
            assert_eq!(refused(text), (422, expected.to_owned()));
        }
    }
}
