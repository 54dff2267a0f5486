//! Free JSON objects that administrators write: settings of tools, configurations of steps, defaults, filters.
//!
//! Refuses an object that is nested too deeply or too long. Leaves its content to the plugin that it is for.

use std::io;

use serde_json::{Map, Value};

use super::Problem;

/// Most levels of objects and lists in each other, the object itself included.
pub const DEPTH_MAX: usize = 32;

/// Longest object, in bytes of JSON without blanks.
pub const BYTES_MAX: usize = 64 << 10;

/// Refuses an object beyond [`DEPTH_MAX`] or [`BYTES_MAX`]. `attribute` is its path, for the message.
pub fn check(attribute: &str, object: &Map<String, Value>) -> Result<(), Problem> {
    let refuse = |message| Problem { attribute: attribute.to_owned(), message, tolerable: false };
    if !object.values().all(|value| is_within(value, DEPTH_MAX - 1)) {
        return Err(refuse(format!("it is nested in more than {DEPTH_MAX} levels, which are the most: flatten it")));
    }
    // Only a full counter can fail: the keys are texts.
    serde_json::to_writer(Counter { left: BYTES_MAX }, object)
        .map_err(|_| refuse(format!("it is longer than {BYTES_MAX} bytes of JSON, which are the most: shorten it")))
}

/// Tells whether a value has at most `levels` levels. Goes no deeper than that.
fn is_within(value: &Value, levels: usize) -> bool {
    match (value, levels.checked_sub(1)) {
        (Value::Object(_) | Value::Array(_), None) => false,
        (Value::Object(object), Some(levels)) => object.values().all(|value| is_within(value, levels)),
        (Value::Array(list), Some(levels)) => list.iter().all(|value| is_within(value, levels)),
        _ => true,
    }
}

/// A writer that counts bytes, and fails beyond `left`.
struct Counter {
    left: usize,
}

impl io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.left = self.left.checked_sub(bytes.len()).ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(object: &Value) -> Option<String> {
        check("settings", object.as_object().unwrap()).err().map(|problem| problem.to_string())
    }

    /// An object of so many levels, every other one a list.
    fn nested(levels: usize) -> Value {
        (1..levels).fold(json!({}), |inner, level| if level % 2 == 0 { json!({ "a": inner }) } else { json!([inner]) })
    }

    #[test]
    fn the_deepest_object_is_taken_and_one_level_more_is_not() {
        let deepest = json!({ "a": nested(DEPTH_MAX - 1) });
        assert_eq!(told(&deepest), None);
        let deeper = json!({ "a": nested(DEPTH_MAX) });
        insta::assert_snapshot!(told(&deeper).unwrap(), @"`settings`: it is nested in more than 32 levels, which are the most: flatten it");
        let list = json!({ "a": (1..DEPTH_MAX).fold(json!([]), |inner, _| json!([inner])) });
        assert!(told(&list).is_some(), "lists count");
    }

    #[test]
    fn the_longest_object_is_taken_and_one_byte_more_is_not() {
        let of = |length: usize| json!({ "a": "x".repeat(length) });
        assert_eq!(told(&of(BYTES_MAX - 8)), None);
        insta::assert_snapshot!(told(&of(BYTES_MAX - 7)).unwrap(), @"`settings`: it is longer than 65536 bytes of JSON, which are the most: shorten it");
    }
}
