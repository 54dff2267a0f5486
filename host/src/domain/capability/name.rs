//! The names of connectors and secrets.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::domain::plugin::is_plugin_name;

/// A text that cannot name a connector or a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{typed}` cannot name a {what}: use 1 to 64 of `a` to `z`, `0` to `9` and `-`, a letter first")]
pub struct InvalidHandle {
    what: &'static str,
    typed: String,
}

macro_rules! handles {
    ($($(#[doc = $doc:literal])+ $name:ident = $what:literal;)+) => {$(
        $(#[doc = $doc])+
        #[derive(
            Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
        )]
        #[serde(try_from = "String", into = "String")]
        #[schema(value_type = String, pattern = "^[a-z][a-z0-9-]*$", min_length = 1, max_length = 64)]
        pub struct $name(String);

        impl $name {
            /// The text of the name.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidHandle;

            fn from_str(typed: &str) -> Result<Self, InvalidHandle> {
                if is_plugin_name(typed) {
                    return Ok(Self(typed.to_owned()));
                }
                Err(InvalidHandle { what: $what, typed: typed.chars().take(100).collect() })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidHandle;

            fn try_from(text: String) -> Result<Self, InvalidHandle> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }
    )+};
}

handles! {
    /// The name of a connector, such as `crm`.
    ConnectorName = "connector";
    /// The name of a secret, such as `kb-token`.
    SecretName = "secret";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_plain() {
        assert_eq!("kb-token".parse::<SecretName>().unwrap().as_str(), "kb-token");
        for typed in ["", "KB", "kb token", "kb:token", "1st", "*"] {
            assert!(typed.parse::<SecretName>().is_err(), "{typed:?}");
        }
        insta::assert_snapshot!("crm/x".parse::<ConnectorName>().unwrap_err(), @"`crm/x` cannot name a connector: use 1 to 64 of `a` to `z`, `0` to `9` and `-`, a letter first");
    }
}
