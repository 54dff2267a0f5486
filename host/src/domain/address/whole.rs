//! Checks of whole addresses.

use url::Url;

use crate::domain::name::is_unseen;

/// Tells whether a text is an absolute `https` address of a page that a browser and a person read alike. A name before
/// the host, as in `https://bank.example@other.example`, and characters that turn the direction of the text mislead a
/// person.
pub fn is_https(text: &str) -> bool {
    let is_odd = |c: char| c.is_whitespace() || c.is_control() || is_unseen(c) || c == '\\';
    let is_page = |url: Url| url.has_host() && url.username().is_empty() && url.password().is_none();
    // Browsers pass over further slashes, and take for a host what stands behind them.
    let has_host = || !begins_with(text, "https:///") && Url::parse(text).is_ok_and(is_page);
    begins_with(text, "https://") && !text.contains(is_odd) && has_host()
}

/// Tells whether a text begins with a scheme, in large or small letters.
pub fn begins_with(text: &str, scheme: &str) -> bool {
    text.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme))
}

/// Why an address that [`runs_code`] is refused.
pub const RUNS: &str =
    "a browser would run it, or show what it holds as a page: give an address that begins with `https://`";

/// Tells whether a browser that opens the text as an address would run it as code, or show its content as a page.
pub fn runs_code(text: &str) -> bool {
    // Browsers pass over these before and within a scheme.
    let text = text.trim_start_matches(|c: char| c <= ' ');
    let scheme: String = text.chars().filter(|c| !matches!(c, '\t' | '\n' | '\r')).take_while(|c| *c != ':').collect();
    text.contains(':') && ["javascript", "data", "vbscript"].iter().any(|it| scheme.eq_ignore_ascii_case(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_address_is_https_and_well_formed() {
        for (text, expected) in [
            ("https://ok.example/a?b=c&d=e#f", true),
            ("HTTPS://ok.example", true),
            ("https://ok.example/ä", true),
            ("https://bank.example@other.example/", false),
            ("https://:secret@other.example/", false),
            ("https://ok.example/a@b", true),
            ("https://ok.example/\u{202e}lmth", false),
            ("https://ok\u{200b}.example/", false),
            ("https://", false),
            ("https:///ok.example", false),
            ("https://a b.example/", false),
            ("https://ok.example/a b", false),
            ("https://ok.example/\n", false),
            ("https:\\\\ok.example", false),
            ("http://ok.example", false),
            ("//ok.example", false),
            ("javascript:alert(1)", false),
            ("", false),
        ] {
            assert_eq!(is_https(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_runs_is_told_in_any_spelling() {
        for (text, expected) in [
            ("javascript:alert(1)", true),
            (" \u{1}JaVaScRiPt:x", true),
            ("java\n\tscript:x", true),
            ("javascript\r:x", true),
            ("DATA:text/html,x", true),
            ("vbscript:x", true),
            ("data", false),
            ("metadata: x", false),
            ("https://ok.example/?q=javascript:x", false),
            ("", false),
        ] {
            assert_eq!(runs_code(text), expected, "{text:?}");
        }
    }
}
