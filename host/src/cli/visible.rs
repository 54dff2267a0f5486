//! Text from elsewhere, made safe to print: archives, manifests and other hosts may write what a terminal obeys.
//!
//! Characters that steer a terminal or turn the direction of text are printed as the escapes of JSON, so that a line of
//! JSON stays one. Nothing is refused.

use std::borrow::Cow;
use std::fmt::Write as _;

/// `text` with what steers terminals escaped. Line feeds and tabs stay.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, |c| steers(c) && !matches!(c, '\n' | '\t'))
}

/// The same as one line: line feeds and tabs are escaped, too, so that a value cannot look like a line of its own.
pub(super) fn one_line(text: &str) -> Cow<'_, str> {
    escaped(text, steers)
}

fn escaped(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if !is_escaped(c) {
            out.push(c);
            continue;
        }
        match c {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a string does not fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    Cow::Owned(out)
}

/// Whether a terminal may obey `c`, or show nothing or something else in its place. The joiners of scripts and of emoji
/// are text.
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_escaped() {
        for (text, shown, line) in [
            ("Zoë 👩\u{200d}🚒\tÄ\nb", "Zoë 👩\u{200d}🚒\tÄ\nb", "Zoë 👩\u{200d}🚒\\tÄ\\nb"),
            ("\u{1b}[2J\r\u{7}\u{9b}31m", "\\u001b[2J\\u000d\\u0007\\u009b31m", "\\u001b[2J\\u000d\\u0007\\u009b31m"),
            ("a\u{202e}b\u{e0041}", "a\\u202eb\\udb40\\udc41", "a\\u202eb\\udb40\\udc41"),
        ] {
            assert_eq!((visible(text).as_ref(), one_line(text).as_ref()), (shown, line));
        }
        let json = serde_json::to_string(&["\u{9b}\u{202e}\u{e0041}"]).unwrap();
        assert_eq!(serde_json::from_str::<Vec<String>>(&visible(&json)).unwrap(), ["\u{9b}\u{202e}\u{e0041}"]);
    }
}
