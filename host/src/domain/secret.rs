//! Secrets of others, which the host shows to the hosts they are for, and to no other.
//!
//! Refuses what could not be a header, and what is so short that it would be found in every answer.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{HttpHost, SecretName};

/// The value of a secret. Never printed but by [`SecretValue::reveal`], and gone from memory with its last owner.
///
/// Invariant: 8 to 4096 visible characters of ASCII, blanks between them allowed.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "serde_json::Value")]
pub struct SecretValue(Zeroizing<String>);

/// A text that is no secret. It does not say which.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a secret is a text of 8 to 4096 visible characters of ASCII, with blanks only between them")]
pub struct InvalidSecret;

impl SecretValue {
    const SHORTEST: usize = 8;
    const LONGEST: usize = 4096;

    /// The secret of this text.
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

    /// The secret itself, to be shown to whom it is for.
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

/// The hosts that a secret is for: it is put into no request to another one.
///
/// Invariant: 1 to 16 of them, each once, sorted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeSet<HttpHost>", into = "BTreeSet<HttpHost>")]
pub struct SecretHosts(BTreeSet<HttpHost>);

/// No hosts, or too many.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a secret is for 1 to {} hosts: name those it may be shown to, such as `api.contoso.com`", SecretHosts::MOST)]
pub struct InvalidHosts;

impl SecretHosts {
    /// How many there may be.
    pub const MOST: usize = 16;

    /// The hosts.
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

/// A secret as it is kept: its value, and the hosts it may be shown to. None of a secret that was written before secrets had hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptSecret {
    /// What it is.
    pub value: SecretValue,
    /// Which hosts it is for.
    pub hosts: BTreeSet<HttpHost>,
}

/// That there is a secret, and nothing of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = Secret)]
pub struct SecretRecord {
    /// What it is called.
    pub name: SecretName,
    /// The hosts it is shown to. A secret without any was written by an older program, and goes nowhere until it is written again
    /// with its hosts.
    pub hosts: BTreeSet<HttpHost>,
    /// When it was written last.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Who wrote it.
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
