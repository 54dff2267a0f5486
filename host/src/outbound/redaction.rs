//! Removes secrets from an answer, so that an echo of a request does not reveal them to a plugin.
//!
//! This is best effort and no security boundary. Recognised are a secret as it was sent, backwards, in upper or lower
//! case, in hexadecimal, in base64 at any place of a longer text, and each of these with percent signs, escapes of JSON
//! or HTML, or line breaks in between. A host that wants to reveal a secret can spell it in another way, so it must be
//! trusted with the secrets that are bound to it.

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};

use crate::domain::hex::hexadecimal;
use crate::domain::{SecretName, SecretValue};

/// The number of layers of encoding that are removed.
const LAYERS: usize = 3;

/// The fewest bytes that are looked for: shorter texts occur in every answer.
const SHORTEST: usize = 8;

/// The body of an answer that cannot be searched.
const WITHHELD: &[u8] = b"[withheld: it cannot be searched for secrets]";

/// The secrets to look for.
pub(super) struct Redaction<'a> {
    names: Vec<&'a SecretName>,
    needles: Vec<Needle>,
    /// `None` if there is nothing to look for; an error if the search cannot be set up.
    automaton: Option<Result<AhoCorasick, aho_corasick::BuildError>>,
}

/// A spelling of a secret.
struct Needle {
    /// The index of the secret.
    of: usize,
    bytes: Vec<u8>,
    /// How many characters before and after also hold bits of the secret.
    around: (usize, usize),
}

/// A place where a secret occurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Span {
    from: usize,
    to: usize,
    of: usize,
}

/// A text after one layer of encoding was removed.
struct Decoded {
    bytes: Vec<u8>,
    /// The place in the original text where each byte begins, and at last where the text ends.
    starts: Vec<usize>,
}

impl<'a> Redaction<'a> {
    pub(super) fn of(secrets: &'a [(SecretName, SecretValue)]) -> Self {
        let needles: Vec<Needle> =
            secrets.iter().enumerate().flat_map(|(of, (_, value))| spellings(of, value.reveal())).collect();
        let automaton = (!needles.is_empty()).then(|| AhoCorasick::new(needles.iter().map(|needle| &needle.bytes)));
        Self { names: secrets.iter().map(|(name, _)| name).collect(), needles, automaton }
    }

    /// `bytes` with every secret replaced by `[secret NAME]`; `None` if no secret occurs.
    pub(super) fn struck_out(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let automaton = match self.automaton.as_ref()? {
            Ok(automaton) => automaton,
            Err(_) => return Some(WITHHELD.to_vec()),
        };
        let mut spans = Vec::new();
        let mut layer = Decoded::of(bytes);
        for _ in 0..=LAYERS {
            spans.extend(self.spans(automaton, &layer));
            match layer.decoded() {
                Some(below) => layer = below,
                None => break,
            }
        }
        self.replaced(bytes, spans)
    }

    fn spans(&self, automaton: &AhoCorasick, layer: &Decoded) -> Vec<Span> {
        let last = layer.bytes.len();
        let found = automaton.find_overlapping_iter(&layer.bytes).filter_map(|found| {
            let needle = self.needles.get(found.pattern().as_usize())?;
            let (before, behind) = needle.around;
            let from = *layer.starts.get(found.start().saturating_sub(before))?;
            let to = *layer.starts.get((found.end() + behind).min(last))?;
            Some(Span { from, to, of: needle.of })
        });
        found.collect()
    }

    fn replaced(&self, bytes: &[u8], mut spans: Vec<Span>) -> Option<Vec<u8>> {
        spans.sort_unstable();
        let mut apart: Vec<Span> = Vec::new();
        for span in spans {
            match apart.last_mut().filter(|last| span.from < last.to) {
                Some(last) => last.to = last.to.max(span.to),
                None => apart.push(span),
            }
        }
        if apart.is_empty() {
            return None;
        }
        let (mut out, mut copied) = (Vec::with_capacity(bytes.len()), 0);
        for Span { from, to, of } in apart {
            out.extend_from_slice(bytes.get(copied..from).unwrap_or_default());
            if let Some(name) = self.names.get(of) {
                out.extend_from_slice(format!("[secret {name}]").as_bytes());
            }
            copied = to;
        }
        out.extend_from_slice(bytes.get(copied..).unwrap_or_default());
        Some(out)
    }
}

/// The spellings of a secret that are looked for.
fn spellings(of: usize, secret: &str) -> Vec<Needle> {
    let plain = |text: String| Needle { of, bytes: text.into_bytes(), around: (0, 0) };
    let hexadecimal = hexadecimal(secret.as_bytes());
    let mut needles = vec![
        plain(secret.to_owned()),
        plain(secret.chars().rev().collect()),
        plain(hexadecimal.to_ascii_uppercase()),
        plain(hexadecimal),
        plain(secret.to_ascii_lowercase()),
        plain(secret.to_ascii_uppercase()),
    ];
    // Removing an encoding from an answer also changes parts of a secret that look like an encoding.
    let mut layer = Decoded::of(secret.as_bytes());
    while let Some(below) = layer.decoded().filter(|below| below.bytes.len() >= SHORTEST) {
        needles.push(Needle { of, bytes: below.bytes.clone(), around: (0, 0) });
        layer = below;
    }
    if secret.contains(' ') {
        needles.push(plain(secret.replace(' ', "+")));
    }
    for before in 0..3 {
        // Bytes before the secret shift its bits. Characters that also hold bits of other bytes may be any.
        let padded = [&[0; 2][..before], secret.as_bytes()].concat();
        let (left, skipped) = [(0, 0), (1, 2), (1, 3)][before];
        let right = usize::from(!padded.len().is_multiple_of(3));
        for text in [BASE64_STANDARD_NO_PAD.encode(&padded), BASE64_URL_SAFE_NO_PAD.encode(&padded)] {
            let whole = text.get(skipped..text.len() - right).unwrap_or_default();
            needles.push(Needle { of, bytes: whole.as_bytes().to_vec(), around: (left, right) });
        }
    }
    needles.sort_by(|one, other| one.bytes.cmp(&other.bytes));
    needles.dedup_by(|one, other| one.bytes == other.bytes);
    needles
}

impl Decoded {
    /// Wraps a text as it is.
    fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), starts: (0..=bytes.len()).collect() }
    }

    /// The text after one more layer was removed; `None` if there is none.
    fn decoded(&self) -> Option<Self> {
        let (mut bytes, mut starts, mut at, mut changed) = (Vec::new(), Vec::new(), 0, false);
        while let Some(&byte) = self.bytes.get(at) {
            let (decoded, length) = match byte {
                b'\r' | b'\n' => (None, 1),
                b'%' | b'\\' | b'&' => match escape(self.bytes.get(at..).unwrap_or_default()) {
                    Some((decoded, length)) => (decoded, length),
                    None => (Some(byte), 1),
                },
                byte => (Some(byte), 1),
            };
            changed |= length != 1 || decoded.is_none();
            if let Some(byte) = decoded {
                bytes.push(byte);
                starts.push(*self.starts.get(at)?);
            }
            at += length;
        }
        starts.push(*self.starts.last()?);
        changed.then_some(Self { bytes, starts })
    }
}

/// The byte that an escape at the beginning of `text` stands for, `None` for a line break; and the length of the
/// escape.
fn escape(text: &[u8]) -> Option<(Option<u8>, usize)> {
    let code = |from: usize, to: usize, radix: u32| {
        let digits = std::str::from_utf8(text.get(from..to)?).ok()?;
        let plain = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        u32::from_str_radix(digits, radix).ok().filter(|_| plain).and_then(|code| u8::try_from(code).ok())
    };
    match text {
        [b'%', ..] => Some((Some(code(1, 3, 16)?), 3)),
        [b'\\', b'u', ..] => Some((Some(code(2, 6, 16)?), 6)),
        [b'\\', b'x', ..] => Some((Some(code(2, 4, 16)?), 4)),
        [b'\\', b'n' | b'r', ..] => Some((None, 2)),
        [b'\\', itself @ (b'"' | b'\'' | b'\\' | b'/'), ..] => Some((Some(*itself), 2)),
        [b'&', ..] => {
            const LONGEST: usize = 8;
            let end = text.iter().take(LONGEST).position(|byte| *byte == b';')?;
            let byte = match text.get(1..end)? {
                b"amp" => b'&',
                b"lt" => b'<',
                b"gt" => b'>',
                b"quot" => b'"',
                b"apos" => b'\'',
                [b'#', b'x' | b'X', ..] => code(3, end, 16)?,
                [b'#', ..] => code(2, end, 10)?,
                _ => return None,
            };
            Some((Some(byte), end + 1))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};
    use proptest::prelude::*;

    use super::*;

    fn secret(name: &str, value: &str) -> (SecretName, SecretValue) {
        (name.parse().unwrap(), SecretValue::new(value.to_owned()).unwrap())
    }

    fn struck_out(text: &str, secrets: &[(SecretName, SecretValue)]) -> Option<String> {
        Redaction::of(secrets).struck_out(text.as_bytes()).map(|out| String::from_utf8(out).unwrap())
    }

    #[test]
    fn every_secret_is_struck_out_wherever_it_stands() {
        let secrets = [secret("one", "first-one"), secret("two", "second-one")];
        for (text, expected) in [
            ("", None),
            ("first-on", None),
            ("first-one", Some("[secret one]")),
            ("a first-one second-onefirst-one b", Some("a [secret one] [secret two][secret one] b")),
        ] {
            assert_eq!(struck_out(text, &secrets).as_deref(), expected, "{text}");
        }
        assert_eq!(struck_out("first-one", &[]), None);
        let touching = [secret("one", "AAAABBBB"), secret("two", "BBBBCCCC")];
        assert_eq!(struck_out("(AAAABBBBCCCC)", &touching).as_deref(), Some("([secret one])"));
    }

    #[test]
    fn common_spellings_are_recognised() {
        let value = r#"p/4 "w&Rd"%41"#;
        let secrets = [secret("key", value)];
        let percent: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let twice = percent.replace('%', "%25");
        let unicode: String = value.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
        let entities: String = value.bytes().map(|byte| format!("&#{byte};")).collect();
        let hex = hexadecimal(value.as_bytes());
        let reversed: String = value.chars().rev().collect();
        let json = serde_json::to_string(value).unwrap();
        let base64 = BASE64_STANDARD.encode(value);
        let lines: String = base64.chars().map(|c| format!("{c}\r\n")).collect();
        for text in [
            value,
            &percent,
            &percent.to_ascii_lowercase(),
            &twice,
            &unicode,
            &entities,
            &hex,
            &hex.to_ascii_uppercase(),
            &reversed,
            &value.to_ascii_lowercase(),
            json.trim_matches('"'),
            &value.replace('/', "\\/").replace('"', "\\\""),
            &value.replace('&', "&amp;").replace('"', "&quot;"),
            &value.replace(' ', "+"),
            &base64,
            &lines,
            &base64.replace('=', "%3D"),
        ] {
            let found = struck_out(&format!("<<{text}>>"), &secrets).unwrap_or_default();
            assert!(found.starts_with("<<[secret key]") && found.len() < 25, "{text} -> {found}");
        }
    }

    proptest! {
        #[test]
        fn base64_is_recognised_at_any_place(before in "[ -~]{0,9}", value in "[!-~]{8,40}", behind in "[ -~]{0,9}") {
            let secrets = [secret("key", &value)];
            let text = format!("{before}{value}{behind}");
            for encoded in [BASE64_STANDARD.encode(&text), BASE64_URL_SAFE.encode(&text)] {
                let found = struck_out(&encoded, &secrets);
                prop_assert!(found.as_ref().is_some_and(|it| it.contains("[secret key]")), "{encoded}: {found:?}");
                // The rest holds no bit of the secret.
                let (left, right) = found.as_deref().unwrap_or_default().split_once("[secret key]").unwrap_or_default();
                prop_assert!(left.len() * 6 <= before.len() * 8 && right.len() * 6 <= behind.len() * 8 + 24);
            }
        }

        #[test]
        fn whatever_is_answered_is_searched_to_its_end(text in "[%\\\\&#;u0-9a-fx\r\nS]{0,60}") {
            let secrets = [secret("key", "S3CR-t0k3n")];
            prop_assert_eq!(struck_out(&text, &secrets), None);
            let found = struck_out(&format!("{text} S3CR-t0k3n"), &secrets).unwrap_or_default();
            prop_assert_eq!(found, format!("{text} [secret key]"));
        }
    }
}
