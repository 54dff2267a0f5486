//! The guard of everything under `/api/`: finds the caller by the admin token or a named token, and refuses every call
//! that the table of [`privileges`] does not allow the caller.
//!
//! A caller without a token, with an unknown token or with one that serves no more gets the same answer. The log and
//! the audit hold the reason.

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;

use crate::domain::access::{AuditEntry, AuditEvent, Caller, Denial, Privilege, Secret};
use crate::store::{Holder, is_news};

use crate::http::capacity::asked::{Asked, Errand};
use crate::http::capacity::strangers::Known;
use crate::http::privileges;
use crate::http::privileges::{Line, Needs};
use crate::http::problem::Refusal;
use crate::http::request_id::RequestId;
use crate::http::state::App;

/// Most characters of an invented method that the audit keeps.
const METHOD_MAX: usize = 32;

/// Why a token, or the lack of one, is refused.
enum Stranger {
    /// The request has no token.
    Nobody,
    /// No token with this secret is known.
    Unknown,
    /// It is the token of this name, which serves no more.
    Known(String, Denial),
}

/// A call as the audit knows it.
struct Call {
    method: Method,
    /// The route; nothing if the address leads nowhere.
    route: Option<MatchedPath>,
    id: String,
}

impl Call {
    fn of(request: &Request) -> Self {
        let id = request.extensions().get::<RequestId>().map_or_else(String::new, |RequestId(id)| id.to_string());
        let route = request.extensions().get::<MatchedPath>().cloned();
        Self { method: request.method().clone(), route, id }
    }

    fn denied(&self, token: &str, reason: Denial, privilege: Option<Privilege>) -> AuditEntry {
        let event = AuditEvent::Denied {
            reason,
            privilege,
            method: self.method.as_str().chars().take(METHOD_MAX).collect(),
            route: self.route.as_ref().map_or("none", MatchedPath::as_str).to_owned(),
            request_id: self.id.clone(),
            calls: 1,
        };
        AuditEntry { at: Timestamp::now(), token: token.to_owned(), event }
    }
}

/// Lets a request under `/api` pass if its caller may make it. All other requests pass without a token.
pub(in crate::http) async fn guard(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if path != "/api" && !path.starts_with("/api/") {
        return next.run(request).await;
    }
    let call = Call::of(&request);
    let shown = bearer(request.headers());
    let caller = if shown.is_some_and(|shown| app.admin.token.is(shown)) {
        app.admin.caller.clone()
    } else {
        match named(&app, shown).await {
            Ok(Ok(caller)) => caller,
            Ok(Err(stranger)) => return turned_away(&app, &call, stranger),
            Err(refusal) => return refusal.into_response(),
        }
    };
    if let Some(known) = request.extensions().get::<Known>() {
        known.note();
    }
    let line = call.route.as_ref().map(|route| privileges::of(&call.method, route.as_str()));
    let response = match line {
        Some(Line::Open(Needs::The(privilege))) if !caller.has(privilege) => {
            Refusal::forbidden(caller.name(), privilege).into_response()
        }
        Some(Line::Nothing) => {
            tracing::error!(method = %call.method, route = ?call.route, "no line of the table of privileges is about this route");
            let detail = "no privilege opens this address: use one of those that `/openapi.json` lists";
            Refusal::new(StatusCode::FORBIDDEN, "forbidden", detail).into_response()
        }
        Some(Line::OtherMethods(allowed)) => {
            (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, allowed)]).into_response()
        }
        Some(Line::Open(needs)) => {
            let asked = Asked { by: caller.name().into(), errand: Errand::of(&call.method, needs) };
            request.extensions_mut().insert(caller.clone());
            asked.while_doing(next.run(request)).await
        }
        // An address that leads nowhere says so to all callers that may ask at all.
        None => next.run(request).await,
    };
    // Some calls are only understood where they are carried out.
    if let Some(privilege) = response.extensions().get::<Refusal>().and_then(Refusal::privilege) {
        tracing::info!(token = caller.name(), %privilege, "denied a call");
        app.metrics.denied(Denial::MissingPrivilege.as_str());
        app.ledger.denied(call.denied(caller.name(), Denial::MissingPrivilege, Some(privilege)));
    }
    response
}

/// Finds the caller that holds the named token with the secret `shown`.
async fn named(app: &App, shown: Option<&str>) -> Result<Result<Caller, Stranger>, Refusal> {
    let Some(shown) = shown else { return Ok(Err(Stranger::Nobody)) };
    let Some(secret) = Secret::shown(shown) else { return Ok(Err(Stranger::Unknown)) };
    let holder = app.look_ups.holder.ask(secret).await??;
    let Some(Holder { token, replaced }) = holder else { return Ok(Err(Stranger::Unknown)) };
    let now = Timestamp::now();
    let denial = Denial::of(token.standing(now)).or(replaced.then_some(Denial::Rotated));
    if let Some(denial) = denial {
        return Ok(Err(Stranger::Known(token.name.into(), denial)));
    }
    let caller = Caller::new(token.name.as_str(), token.roles.clone());
    if is_news(&token, now) {
        app.ledger.used(token.name, now);
    }
    Ok(Ok(caller))
}

/// Returns the same answer to every caller that is refused. The audit keeps only calls with a token that was once
/// valid, so that callers without one cannot fill the disk.
fn turned_away(app: &App, call: &Call, stranger: Stranger) -> Response {
    let reason = match &stranger {
        Stranger::Nobody => "no-token",
        Stranger::Unknown => "unknown-token",
        Stranger::Known(token, denial) => {
            app.ledger.denied(call.denied(token, *denial, None));
            denial.as_str()
        }
    };
    if app.strangers.may_have_line() {
        tracing::info!(reason, "turned a call away");
    }
    // The counters can be read without a token, so they do not tell an old secret from one that never was.
    app.metrics.denied(if matches!(stranger, Stranger::Nobody) { "no-token" } else { "invalid-token" });
    let detail = "this address needs a token that serves: send it as `Authorization: Bearer <token>`";
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

    use crate::http::admin::{InvalidToken, Token};

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
