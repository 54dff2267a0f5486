//! Bytes as text: two hexadecimal digits of lower case for each byte.

use std::fmt::Write as _;

/// Writes `bytes` as hexadecimal digits of lower case.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing into a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
