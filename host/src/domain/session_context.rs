//! The bounds of the context of a session: the automation dictionary of a question.
//!
//! They are checked where a question is read, because slugs and rules put values of the context into any text. Refuses
//! control characters but tabs and line ends: they are invisible, and each takes six bytes of JSON.

use std::collections::BTreeMap;

/// Most keys.
pub const KEYS_MAX: usize = 1_000;

/// Most bytes of one value.
pub const VALUE_MAX: usize = super::slug::RENDERED_MAX;

/// Most bytes of all keys and values together.
pub const ALL_MAX: usize = 256 << 10;

/// Most characters of a key that a message shows.
const SHOWN: usize = 60;

/// The refusal of a context.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidContext {
    /// It has too many keys.
    #[error("`session.context` has {0} keys, and {KEYS_MAX} are the most: leave out what no text and no rule uses")]
    TooMany(usize),
    /// A value is longer than any text it is put into.
    #[error("`session.context.{key}` has {found} bytes, and {VALUE_MAX} are the most: shorten it")]
    LongValue {
        /// The key.
        key: String,
        /// The length of the value, in bytes.
        found: usize,
    },
    /// Its keys and values together are too long.
    #[error(
        "`session.context` has {0} bytes of keys and values, and {ALL_MAX} are the most: leave out what no text and no rule uses"
    )]
    TooLong(usize),
    /// There is a control character in a key or its value.
    #[error("`session.context.{key}` holds the control character U+{:04X}: leave it out; tabs and line ends may stay", u32::from(*.found))]
    Control {
        /// The key.
        key: String,
        /// The character.
        found: char,
    },
}

/// Refuses a context that is too large, or that holds a control character other than tabs and line ends.
pub fn check(context: &BTreeMap<String, String>) -> Result<(), InvalidContext> {
    if context.len() > KEYS_MAX {
        return Err(InvalidContext::TooMany(context.len()));
    }
    let bytes = context.iter().map(|(key, value)| key.len().saturating_add(value.len())).fold(0, usize::saturating_add);
    if let Some((key, value)) = context.iter().find(|(_, value)| value.len() > VALUE_MAX) {
        return Err(InvalidContext::LongValue { key: shown(key), found: value.len() });
    }
    if bytes > ALL_MAX {
        return Err(InvalidContext::TooLong(bytes));
    }
    let is_unseen = |c: &char| c.is_control() && !matches!(c, '\t' | '\n' | '\r');
    for (key, value) in context {
        if let Some(found) = key.chars().chain(value.chars()).find(is_unseen) {
            return Err(InvalidContext::Control { key: shown(key), found });
        }
    }
    Ok(())
}

/// Returns the beginning of a key for a message, with control characters escaped.
fn shown(key: &str) -> String {
    key.chars().take(SHOWN).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(pairs: impl IntoIterator<Item = (String, String)>) -> String {
        check(&pairs.into_iter().collect()).map_or_else(|error| error.to_string(), |()| "taken".to_owned())
    }

    #[test]
    fn a_context_has_so_many_keys_and_bytes_and_no_more() {
        let keys = |count: usize, bytes: usize| (0..count).map(move |at| (format!("k{at:03}"), "x".repeat(bytes)));
        let one = |value: String| [("a".to_owned(), value)];
        for (told, expected) in [
            (told([]), "taken"),
            (told(keys(KEYS_MAX, 200)), "taken"),
            (
                told(keys(KEYS_MAX + 1, 1)),
                "`session.context` has 1001 keys, and 1000 are the most: leave out what no text and no rule uses",
            ),
            (told(one("x".repeat(VALUE_MAX))), "taken"),
            (
                told(one("x".repeat(VALUE_MAX + 1))),
                "`session.context.a` has 65537 bytes, and 65536 are the most: shorten it",
            ),
            (
                told(keys(5, 60_000)),
                "`session.context` has 300020 bytes of keys and values, and 262144 are the most: leave out what no text and no rule uses",
            ),
        ] {
            assert_eq!(told, expected);
        }
        let long = told([("k".repeat(300_000), String::new())]);
        assert!(long.starts_with("`session.context` has 300000 bytes"), "{long}");
    }

    #[test]
    fn no_control_character_is_taken_but_tabs_and_line_ends() {
        let told = |key: &str, value: &str| told([(key.to_owned(), value.to_owned())]);
        assert_eq!(told("a", "tab\t line\r\n Zoë 日本 \u{200d}"), "taken");
        assert_eq!(
            told("a", "\u{1}"),
            "`session.context.a` holds the control character U+0001: leave it out; tabs and line ends may stay"
        );
        assert!(told("a", "\u{7f}").contains("U+007F") && told("a", "\u{9b}").contains("U+009B"));
        assert!(told("\u{1b}[2J", "x").starts_with("`session.context.\\u{1b}[2J` holds the control character U+001B"));
    }
}
