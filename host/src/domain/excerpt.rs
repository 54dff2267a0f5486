//! Excerpts of input for messages, kept short: the input may be as long as the body of a request.

use std::borrow::Cow;

/// Longest message that quotes input, in characters.
pub const SENTENCE_MAX: usize = 1_000;

/// Longest name or place beside such a message, in characters.
pub const PLACE_MAX: usize = 512;

/// Returns `text` if it has at most `most` characters, otherwise its beginning and its end with `…` between. The end
/// stays because it says what to do.
pub fn excerpt(text: &str, most: usize) -> Cow<'_, str> {
    // No text has more characters than bytes.
    if text.len() <= most || text.chars().nth(most).is_none() {
        return Cow::Borrowed(text);
    }
    let end = most / 3;
    let start = most.saturating_sub(end + 1);
    let from = text.char_indices().nth(start).map_or(text.len(), |(at, _)| at);
    let to = text.char_indices().nth_back(end.saturating_sub(1)).map_or(0, |(at, _)| at);
    Cow::Owned(format!("{}…{}", &text[..from], &text[to..]))
}

/// Returns the excerpt of an owned text.
pub fn excerpted(text: String, most: usize) -> String {
    match excerpt(&text, most) {
        Cow::Borrowed(_) => text,
        Cow::Owned(short) => short,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_sentence_keeps_its_beginning_and_its_end() {
        for (text, most, expected) in [
            ("short", 9, "short"),
            ("just so it", 10, "just so it"),
            ("`aaaaaaaaaaaaaaa`: use b", 12, "`aaaaaa…se b"),
            ("äöüäöüäöüäöü", 6, "äöü…öü"),
        ] {
            let found = excerpt(text, most);
            assert_eq!((found.as_ref(), found.chars().count()), (expected, text.chars().count().min(most)));
            assert_eq!(excerpted(text.to_owned(), most), expected);
        }
    }
}
