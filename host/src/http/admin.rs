//! The token an administrator shows: compared in constant time, and never printed.

use std::fmt;
use std::sync::Arc;

use subtle::ConstantTimeEq as _;

use crate::domain::access::Caller;

/// The token an administrator shows. Never printed.
#[derive(Clone)]
pub struct Token(Arc<str>);

/// A text that is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a token has {} to {} visible ASCII characters without blanks: choose another", Token::MIN, Token::MAX)]
pub struct InvalidToken;

impl Token {
    /// Fewest characters.
    pub const MIN: usize = 8;
    /// Most characters.
    pub const MAX: usize = 512;

    /// Takes `text` if it has `MIN` to `MAX` visible ASCII characters, so that a header can carry it.
    pub fn new(text: &str) -> Result<Self, InvalidToken> {
        let fits = (Self::MIN..=Self::MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(Self(text.into())) } else { Err(InvalidToken) }
    }

    /// Compares without telling by its duration how much was right.
    pub(super) fn is(&self, shown: &str) -> bool {
        self.0.as_bytes().ct_eq(shown.as_bytes()).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// The admin token, and the caller that shows it.
#[derive(Clone)]
pub(super) struct Admin {
    pub(super) token: Token,
    pub(super) caller: Caller,
}

impl Admin {
    /// Makes the administrator who holds `token`.
    pub(super) fn holding(token: Token) -> Self {
        Self { token, caller: Caller::admin() }
    }
}
