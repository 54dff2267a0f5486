//! Publishers whose plugins must be signed, and the keys that may sign them.
//!
//! Refuses text that is not a public key of Ed25519, and weak keys, under which any person could sign.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::item::item_basics;
use super::*;

/// Most keys of a publisher.
const KEYS_MAX: usize = 16;

/// Longest display name of a publisher, in characters.
const LONGEST_NAME: usize = 200;

/// A trusted publisher. Its unique name is the first part of the names of its plugins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrustedPublisher {
    /// The display name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schema(max_length = 200)]
    pub name: String,
    /// The public keys, each the base64 of its 32 bytes. A component of the publisher carries a signature by one of
    /// them.
    #[schema(min_items = 1, max_items = 16)]
    pub keys: Vec<PublicKey>,
}

/// Whether plugins of publishers without keys here are installed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unsigned {
    /// They are installed, signed or not.
    #[default]
    Allowed,
    /// They are refused.
    Refused,
}

/// Which plugins an environment accepts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PluginSettings {
    /// Whether plugins of publishers that are not trusted are installed.
    pub unsigned: Unsigned,
    /// Whether people see a tool while no rule decides about its kind, if the tool's own `withoutRule` is left out.
    pub without_rule: WithoutRule,
}

/// A public key of Ed25519.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey(VerifyingKey);

/// The short name of a key: the first eight bytes of the SHA-256 of its public half, in hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; 8]);

/// A text that is not a public key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is no public key: give the base64 of the 32 bytes, as `loadout plugin keygen` prints it")]
pub struct InvalidPublicKey;

impl PublicKey {
    /// Returns the short name.
    pub fn id(&self) -> KeyId {
        let hash = Sha256::digest(self.0.as_bytes());
        KeyId(std::array::from_fn(|at| hash[at]))
    }

    /// Tells whether `signature` over `message` was made with the private half.
    pub fn has_signed(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.0.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }
}

impl FromStr for PublicKey {
    type Err = InvalidPublicKey;

    fn from_str(text: &str) -> Result<Self, InvalidPublicKey> {
        let bytes = STANDARD.decode(text).map_err(|_| InvalidPublicKey)?;
        let bytes = bytes.try_into().map_err(|_| InvalidPublicKey)?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| InvalidPublicKey)?;
        if key.is_weak() { Err(InvalidPublicKey) } else { Ok(Self(key)) }
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0.as_bytes()))
    }
}

impl TryFrom<String> for PublicKey {
    type Error = InvalidPublicKey;

    fn try_from(text: String) -> Result<Self, InvalidPublicKey> {
        text.parse()
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> Self {
        key.to_string()
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A text that is not the short name of a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the short name of a key has 16 hexadecimal digits of lower case")]
pub struct InvalidKeyId;

impl FromStr for KeyId {
    type Err = InvalidKeyId;

    fn from_str(text: &str) -> Result<Self, InvalidKeyId> {
        let fits = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let number = if text.bytes().all(fits) { u64::from_str_radix(text, 16).ok() } else { None };
        number.filter(|_| text.len() == 16).map(|number| Self(number.to_be_bytes())).ok_or(InvalidKeyId)
    }
}

impl<'de> Deserialize<'de> for KeyId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for KeyId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Item for TrustedPublisher {
    item_basics!(TrustedPublisher);

    fn display_name(&self) -> &str {
        &self.name
    }

    fn check(&self, problems: &mut Problems) {
        if self.keys.is_empty() {
            problems.refuse("keys", "a trusted publisher has a key: give one, or delete the publisher");
        }
        if self.keys.len() > KEYS_MAX {
            problems.refuse("keys", format!("{KEYS_MAX} keys are the most: take those away that sign no more"));
        }
        if let Some(twice) = self.keys.iter().enumerate().position(|(at, key)| self.keys[..at].contains(key)) {
            problems.refuse(format!("keys.{twice}"), "the key is there already: give it once");
        }
        if self.name.chars().count() > LONGEST_NAME {
            problems.refuse("name", format!("{LONGEST_NAME} characters are the most"));
        }
    }
}

impl utoipa::PartialSchema for PublicKey {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        super::text::plain("A public key: the base64 of its 32 bytes.", "^[A-Za-z0-9+/]{43}=$", 44, 44)
    }
}

impl utoipa::ToSchema for PublicKey {
    fn name() -> std::borrow::Cow<'static, str> {
        "PublicKey".into()
    }
}

impl utoipa::PartialSchema for KeyId {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        super::text::plain("The short name of a key.", "^[0-9a-f]{16}$", 16, 16)
    }
}

impl utoipa::ToSchema for KeyId {
    fn name() -> std::borrow::Cow<'static, str> {
        "KeyId".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The public key and the signature of nothing, from RFC 8032, section 7.1, test 1.
    const KEY: &str = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    const SIGNATURE: &str = "5VZDAMNgrHKQhuLMgG6CioSHfx645dl02HPgZSJJAVVfuIIVkKM7rMYeOXAc+bRr0lv18FlbviRlUUFDjnoQCw==";

    #[test]
    fn a_signature_holds_for_its_message_and_key_alone() {
        let key: PublicKey = KEY.parse().unwrap();
        let signature: [u8; 64] = STANDARD.decode(SIGNATURE).unwrap().try_into().unwrap();
        assert_eq!((key.to_string().as_str(), key.id().to_string().as_str()), (KEY, "21fe31dfa154a261"));
        assert_eq!("21fe31dfa154a261".parse(), Ok(key.id()));
        for text in ["", "21fe31dfa154a26", "21fe31dfa154a2611", "21FE31DFA154A261", "+1fe31dfa154a261"] {
            assert_eq!(text.parse::<KeyId>(), Err(InvalidKeyId), "{text}");
        }
        assert!(key.has_signed(b"", &signature));
        assert!(!key.has_signed(b"x", &signature));
        assert!(!key.has_signed(b"", &[0; 64]));
    }

    #[test]
    fn what_nobody_could_have_signed_with_is_no_key() {
        let zeros = STANDARD.encode([0; 32]);
        let neutral = STANDARD.encode(std::array::from_fn::<u8, 32, _>(|at| u8::from(at == 0)));
        let short = STANDARD.encode([7; 31]);
        for text in ["", "key", &KEY[..40], &zeros, &neutral, &short, &KEY.replace('=', "")] {
            assert_eq!(text.parse::<PublicKey>(), Err(InvalidPublicKey), "{text:?}");
        }
    }

    #[test]
    fn a_publisher_has_each_key_once() {
        let key: PublicKey = KEY.parse().unwrap();
        let problems = |keys: Vec<PublicKey>| {
            let mut problems = Problems::default();
            TrustedPublisher { name: String::new(), keys }.check(&mut problems);
            problems.0.iter().map(|problem| problem.attribute.clone()).collect::<Vec<_>>()
        };
        assert_eq!(problems(vec![key.clone()]), Vec::<String>::new());
        assert_eq!(problems(vec![key.clone(), key]), ["keys.1"]);
        assert_eq!(problems(Vec::new()), ["keys"]);
    }
}
