//! Secrets for outside systems. The host sends a secret to the hosts that it is for, and to no other.
//!
//! Refuses a text that cannot be a header, and one so short that any answer could contain it by chance.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{HttpHost, SecretName};

/// The value of a secret. Printed by [`SecretValue::reveal`] alone, and wiped from memory when it is dropped.
///
/// Invariant: 8 to 4096 visible characters of ASCII, blanks between them allowed.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "serde_json::Value")]
pub struct SecretValue(Zeroizing<String>);

/// The refusal of a text that cannot be a secret. It does not quote the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a secret is a text of 8 to 4096 visible characters of ASCII, with blanks only between them")]
pub struct InvalidSecret;

impl SecretValue {
    const SHORTEST: usize = 8;
    const LONGEST: usize = 4096;

    /// Makes a secret of this text.
    pub fn new(text: String) -> Result<Self, InvalidSecret> {
        let text = Zeroizing::new(text);
        let fits = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
        let length = (Self::SHORTEST..=Self::LONGEST).contains(&text.len());
        if length && text.bytes().all(fits) && text.trim() == text.as_str() {
            Ok(Self(text))
        } else {
            Err(InvalidSecret)
        }
    }

    /// Returns the secret itself, to be sent to a host that it is for.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretValue(…)")
    }
}

impl TryFrom<serde_json::Value> for SecretValue {
    type Error = InvalidSecret;

    fn try_from(json: serde_json::Value) -> Result<Self, InvalidSecret> {
        match json {
            serde_json::Value::String(text) => Self::new(text),
            _ => Err(InvalidSecret),
        }
    }
}

/// The hosts that a secret is for. The host puts it into no request to another one.
///
/// Invariant: 1 to 16 of them, each once, sorted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeSet<HttpHost>", into = "BTreeSet<HttpHost>")]
pub struct SecretHosts(BTreeSet<HttpHost>);

/// The refusal of no hosts, or of too many.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a secret is for 1 to {} hosts: name those it may be shown to, such as `api.contoso.com`", SecretHosts::MOST)]
pub struct InvalidHosts;

impl SecretHosts {
    /// Most hosts of a secret.
    pub const MOST: usize = 16;

    /// Returns the hosts.
    pub fn all(&self) -> &BTreeSet<HttpHost> {
        &self.0
    }
}

impl TryFrom<BTreeSet<HttpHost>> for SecretHosts {
    type Error = InvalidHosts;

    fn try_from(hosts: BTreeSet<HttpHost>) -> Result<Self, InvalidHosts> {
        if (1..=Self::MOST).contains(&hosts.len()) { Ok(Self(hosts)) } else { Err(InvalidHosts) }
    }
}

impl From<SecretHosts> for BTreeSet<HttpHost> {
    fn from(hosts: SecretHosts) -> Self {
        hosts.0
    }
}

/// A secret as the store keeps it: its value, and the hosts it may be sent to. A secret from before secrets had hosts
/// has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptSecret {
    /// The value.
    pub value: SecretValue,
    /// The hosts that it is for.
    pub hosts: BTreeSet<HttpHost>,
}

/// The record of a secret, without its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = Secret)]
pub struct SecretRecord {
    /// The name of the secret.
    pub name: SecretName,
    /// The hosts that it is sent to. A secret without hosts was written by an older program, and is not sent until it
    /// is written again with its hosts.
    pub hosts: BTreeSet<HttpHost>,
    /// When it was written last.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The caller who wrote it.
    pub who: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_says_nothing_of_itself() {
        let secret = SecretValue::new("Basic aGVsbG8=".to_owned()).unwrap();
        assert_eq!((format!("{secret:?}").as_str(), secret.reveal()), ("SecretValue(…)", "Basic aGVsbG8="));
        for text in ["", "short", " a blank before", "a blank after ", "two\nlines here", "grüße an alle"] {
            assert_eq!(SecretValue::new(text.to_owned()), Err(InvalidSecret), "{text:?}");
        }
        let error = serde_json::from_str::<SecretValue>("1234567890").unwrap_err().to_string();
        assert!(!error.contains("12345"), "{error}");
    }
}
