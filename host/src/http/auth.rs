//! The one secret: a bearer token on everything under `/api/`.

use std::fmt;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq;

use super::problem::Refusal;
use super::state::App;

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

    /// Takes `text` if a header can carry it and nobody guesses it.
    pub fn new(text: &str) -> Result<Self, InvalidToken> {
        let fits = (Self::MIN..=Self::MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(Self(text.into())) } else { Err(InvalidToken) }
    }

    /// Compares without telling by its duration how much was right.
    fn is(&self, shown: &str) -> bool {
        self.0.as_bytes().ct_eq(shown.as_bytes()).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Lets a request under `/api` pass only with the token.
pub(super) async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if (path != "/api" && !path.starts_with("/api/"))
        || bearer(request.headers()).is_some_and(|shown| app.token.is(shown))
    {
        return next.run(request).await;
    }
    let detail = "this address needs the admin token: send it as `Authorization: Bearer <token>`";
    let mut refusal = Refusal::new(StatusCode::UNAUTHORIZED, "unauthorized", detail).into_response();
    refusal.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"loadout\""));
    refusal
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_passes() {
        let token = Token::new("0123456789abcdef").unwrap();
        assert!(token.is("0123456789abcdef"));
        for wrong in ["", "0123456789abcde", "0123456789abcdef0", "0123456789abcdeF"] {
            assert!(!token.is(wrong), "{wrong:?} must not pass");
        }
        assert!(!format!("{token:?}").contains("0123"), "a token is never printed");
    }

    #[test]
    fn weak_tokens_are_refused() {
        for text in ["", "short", "sixteen chars ok", "0123456789abcdé0", "0123456789abcdef\n"] {
            assert_eq!(Token::new(text).unwrap_err(), InvalidToken, "{text:?}");
        }
    }
}
