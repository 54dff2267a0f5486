//! Reads JSON of archives. Refuses it by its size and by the number of its values before it is parsed.
//!
//! A value takes about ten times as much memory as its shortest text of two bytes. The parser itself bounds the
//! nesting.

use serde::de::DeserializeOwned;

use crate::domain::bounds::values;

/// The largest JSON document, in bytes.
const BYTES_MAX: usize = 4 << 20;
/// The most values of one document. A macro of a hundred steps has a few thousand.
const VALUES_MAX: usize = 100_000;
/// The most values of the document with direct assignments: as many people as fit into it.
const PEOPLE_MAX: usize = 2_000_000;

/// Reads one document.
pub(crate) fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, String> {
    if text.len() > BYTES_MAX {
        return Err(format!("it has {} bytes, {BYTES_MAX} are allowed: split it", text.len()));
    }
    bounded(text, VALUES_MAX)
}

/// Reads the document with direct assignments, whose size only the archive bounds.
pub(super) fn read_people<T: DeserializeOwned>(text: &[u8]) -> Result<T, String> {
    bounded(text, PEOPLE_MAX)
}

fn bounded<T: DeserializeOwned>(text: &[u8], most: usize) -> Result<T, String> {
    if values(text) > most {
        return Err(format!("it has more than {most} values: split it"));
    }
    serde_json::from_slice(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn what_would_become_more_in_memory_than_any_export_is_refused() {
        let many = format!("[{}[]]", "[],".repeat(VALUES_MAX));
        assert_eq!(read::<Value>(many.as_bytes()).unwrap_err(), "it has more than 100000 values: split it");
        let some = format!("[{}[]]", "[],".repeat(VALUES_MAX / 2 - 2));
        read::<Value>(some.as_bytes()).unwrap();
        let long = format!("\"{}\"", "x".repeat(BYTES_MAX));
        assert!(read::<Value>(long.as_bytes()).unwrap_err().starts_with("it has 4194306 bytes"));
        assert!(read_people::<Value>(long.as_bytes()).is_ok() && read_people::<Value>(many.as_bytes()).is_ok());
        let deep = "[".repeat(1_000);
        assert!(read::<Value>(deep.as_bytes()).unwrap_err().starts_with("recursion limit exceeded"));
    }
}
