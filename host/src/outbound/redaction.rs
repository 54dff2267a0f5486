//! Strikes secrets out of what somebody answers: an echo tells a plugin nothing.
//!
//! Finds a secret as it was sent. An answer that spells it otherwise is not recognised.

use crate::domain::{SecretName, SecretValue};

/// `bytes` with every value of `secrets` replaced by `[secret NAME]`; nothing if there is none.
pub(super) fn struck_out(bytes: &[u8], secrets: &[(SecretName, SecretValue)]) -> Option<Vec<u8>> {
    let found = |at: usize| {
        let rest = bytes.get(at..).unwrap_or_default();
        secrets.iter().find(|(_, value)| rest.starts_with(value.reveal().as_bytes()))
    };
    let mut out = Vec::new();
    let (mut copied, mut at) = (0, 0);
    while at < bytes.len() {
        match found(at) {
            Some((name, value)) => {
                out.extend_from_slice(bytes.get(copied..at).unwrap_or_default());
                out.extend_from_slice(format!("[secret {name}]").as_bytes());
                at += value.reveal().len();
                copied = at;
            }
            None => at += 1,
        }
    }
    if copied == 0 {
        return None;
    }
    out.extend_from_slice(bytes.get(copied..).unwrap_or_default());
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_secret_is_struck_out_wherever_it_stands() {
        let secret = |name: &str, value: &str| {
            (name.parse::<SecretName>().unwrap(), SecretValue::new(value.to_owned()).unwrap())
        };
        let secrets = [secret("one", "first-one"), secret("two", "second-one")];
        for (text, expected) in [
            ("", None),
            ("first-on", None),
            ("first-one", Some("[secret one]")),
            ("a first-one second-onefirst-one b", Some("a [secret one] [secret two][secret one] b")),
        ] {
            let found = struck_out(text.as_bytes(), &secrets).map(|out| String::from_utf8(out).unwrap());
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }
}
