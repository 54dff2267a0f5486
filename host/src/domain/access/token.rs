//! Tokens: a name, roles, and a secret that only its holder knows.
//!
//! Refuses names that are reserved for the admin token and the program, and never prints a secret.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::hex::hexadecimal;

use super::{Caller, Roles};

/// The unique name of a token, such as `contact-desk`.
///
/// Invariant: 1 to [`TokenName::MAX`] of a-z, 0-9, `-`, `_` and `.`, a letter or digit first, and not a name of the
/// program's own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, min_length = 1, max_length = 64, pattern = "^[a-z0-9][a-z0-9._-]*$")]
pub struct TokenName(String);

/// A text that cannot name a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTokenName {
    /// It has a character or a length that a name cannot have.
    #[error("`{0}` cannot name a token: use 1 to {max} of a-z, 0-9, `-`, `_` and `.`, a letter or digit first", max = TokenName::MAX)]
    Form(String),
    /// It is reserved: history uses it for the admin token or the program itself.
    #[error("`{0}` is reserved for the admin token or the program itself: choose another name")]
    Reserved(String),
}

impl TokenName {
    /// Most characters.
    pub const MAX: usize = 64;
    /// The names of the admin token and of the program itself in history.
    const RESERVED: &[&str] = &[Caller::ADMIN, "loadout"];

    /// The text of the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TokenName {
    type Err = InvalidTokenName;

    fn from_str(typed: &str) -> Result<Self, InvalidTokenName> {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let first = typed.chars().next().is_some_and(fits);
        if !first || typed.len() > Self::MAX || !typed.chars().all(|c| fits(c) || "-_.".contains(c)) {
            return Err(InvalidTokenName::Form(typed.chars().take(2 * Self::MAX).collect()));
        }
        if Self::RESERVED.contains(&typed) {
            return Err(InvalidTokenName::Reserved(typed.to_owned()));
        }
        Ok(Self(typed.to_owned()))
    }
}

impl TryFrom<String> for TokenName {
    type Error = InvalidTokenName;

    fn try_from(typed: String) -> Result<Self, InvalidTokenName> {
        typed.parse()
    }
}

impl From<TokenName> for String {
    fn from(name: TokenName) -> Self {
        name.0
    }
}

impl fmt::Display for TokenName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The secret of a token: 256 random bits. Printed by [`Secret::reveal`] alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The prefix of every secret, so that scanners for leaked secrets find it.
    const PREFIX: &str = "loadout_";

    /// Makes the secret of `bits`, which must be random.
    pub fn of(bits: [u8; 32]) -> Self {
        let hex = hexadecimal(&bits);
        Self(format!("{}{hex}", Self::PREFIX))
    }

    /// Takes the text that a caller sent, if it has the form of a secret.
    pub fn shown(text: &str) -> Option<Self> {
        let hex = text.strip_prefix(Self::PREFIX)?;
        let fits = hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        fits.then(|| Self(text.to_owned()))
    }

    /// Returns the secret itself, to be shown once or to be hashed.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The request for a new token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// Its unique name, which history and the audit show. The name of a revoked token cannot be used again.
    pub name: TokenName,
    /// The roles of its holder.
    pub roles: Roles,
    /// When the token expires; never, if left out.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime, required = false)]
    pub expires: Option<Timestamp>,
}

/// A token as the store keeps it. The secret itself is not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessToken {
    /// Its unique name.
    pub name: TokenName,
    /// The roles of its holder.
    pub roles: Roles,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    /// The caller who made it.
    pub created_by: String,
    /// When its secret was replaced last.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub rotated: Option<Timestamp>,
    /// When the token expires.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires: Option<Timestamp>,
    /// When it was revoked.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub revoked: Option<Timestamp>,
    /// When it was used last, to the hour.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used: Option<Timestamp>,
}

/// Whether a token is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = TokenStanding)]
pub enum Standing {
    /// The token is valid.
    Valid,
    /// The token is expired.
    Expired,
    /// The token was revoked.
    Revoked,
}

impl Standing {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

impl AccessToken {
    /// Returns the standing of the token at `now`.
    pub fn standing(&self, now: Timestamp) -> Standing {
        if self.revoked.is_some() {
            Standing::Revoked
        } else if self.expires.is_some_and(|expires| expires <= now) {
            Standing::Expired
        } else {
            Standing::Valid
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_taken_and_names_that_are_not() {
        for good in ["a", "contact-desk", "ci.2027_01", "7"] {
            assert!(good.parse::<TokenName>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "Desk", "a b", "a/b", "é", "admin", "loadout", &"x".repeat(65)] {
            assert!(bad.parse::<TokenName>().is_err(), "{bad:?}");
        }
        insta::assert_snapshot!("admin".parse::<TokenName>().unwrap_err(), @"`admin` is reserved for the admin token or the program itself: choose another name");
        insta::assert_snapshot!("A Desk".parse::<TokenName>().unwrap_err(), @"`A Desk` cannot name a token: use 1 to 64 of a-z, 0-9, `-`, `_` and `.`, a letter or digit first");
    }

    #[test]
    fn a_secret_is_recognised_and_never_printed() {
        let secret = Secret::of([0xa5; 32]);
        assert_eq!(Secret::shown(secret.reveal()).as_ref(), Some(&secret));
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        let upper = secret.reveal().to_uppercase();
        for other in ["", "loadout_", &secret.reveal()[1..], &format!("{}0", secret.reveal()), &upper] {
            assert_eq!(Secret::shown(other), None, "{other:?}");
        }
    }

    #[test]
    fn a_token_serves_until_it_expires_or_is_revoked() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let token = |expires: Option<i64>, revoked: Option<i64>| AccessToken {
            name: "desk".parse().unwrap(),
            roles: super::super::AccessRole::Workspace.into(),
            created: at(0),
            created_by: "admin".to_owned(),
            rotated: None,
            expires: expires.map(at),
            revoked: revoked.map(at),
            last_used: None,
        };
        for (expires, revoked, expected) in [
            (None, None, Standing::Valid),
            (Some(101), None, Standing::Valid),
            (Some(100), None, Standing::Expired),
            (None, Some(90), Standing::Revoked),
            (Some(50), Some(90), Standing::Revoked),
        ] {
            assert_eq!(token(expires, revoked).standing(at(100)), expected, "{expires:?} {revoked:?}");
        }
    }
}
