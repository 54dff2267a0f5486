//! Wraps every request: gives it an id, a line in the log, a count, and the body of its failure.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument;

use crate::domain::Effort;
use crate::domain::access::Secret;
use crate::domain::hex::hexadecimal;

use super::answer_headers;
use super::trace_parent;
use crate::http::capacity::room::Kept;
use crate::http::capacity::strangers::Known;
use crate::http::problem;
use crate::http::problem::Refusal;
use crate::http::request_id::RequestId;
use crate::http::state::App;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The address where a POST asks and writes nothing.
const QUESTIONS: &str = "/api/v1/experience";

/// Most characters of an id that came with the request.
const ID_MAX: usize = 64;

/// Most characters of an address in the log.
const PATH_MAX: usize = 200;

/// Where an answer takes as long as what is sent is large: plans of upgrades, and components that have to be compiled,
/// which has limits of its own.
const UNHURRIED: [&str; 3] = ["/api/v1/upgrade-plans", "/api/v1/plugins", "/api/v1/plugin-bundle"];

/// The ends of addresses of a plugin where recordings may be put to two versions, which limits its time by itself.
const COMPARING: [&str; 3] = ["/activate", "/comparison", "/rollout"];

/// A request whose answer is waited for. Dropped early, it was given up: by its caller, or because it took too long.
struct Awaited {
    effort: Arc<Effort>,
    is_answered: bool,
}

impl Drop for Awaited {
    fn drop(&mut self) {
        if !self.is_answered {
            self.effort.give_up();
        }
    }
}

/// Answers 503 to a request that takes too long, wherever that is known to be too long. What is worked on for a request
/// that is given up is told so.
pub(in crate::http) async fn in_time(State(limit): State<Duration>, mut request: Request, next: Next) -> Response {
    let effort = Arc::<Effort>::default();
    request.extensions_mut().insert(Arc::clone(&effort));
    let mut awaited = Awaited { effort, is_answered: false };
    let response = within(limit, request, next).await;
    awaited.is_answered = response.is_some();
    response.unwrap_or_else(|| StatusCode::SERVICE_UNAVAILABLE.into_response())
}

/// The answer; nothing if it took too long.
async fn within(limit: Duration, request: Request, next: Next) -> Option<Response> {
    let path = request.uri().path();
    let compares = path.starts_with("/api/v1/plugins/") && COMPARING.iter().any(|end| path.ends_with(end));
    let is_unhurried = compares || UNHURRIED.contains(&path) && request.method() == Method::POST;
    if is_unhurried {
        return Some(next.run(request).await);
    }
    tokio::time::timeout(limit, next.run(request)).await.ok()
}

/// Observes one request. The header with the token is not looked at here, so it cannot get into the log.
pub(in crate::http) async fn observe(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let id = given_id(request.headers()).unwrap_or_else(fresh_id);
    let method = known(request.method());
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let path = logged(request.uri().path());
    let span = tracing::info_span!("request", id);
    if app.exports_spans {
        trace_parent::follow(&span, request.headers());
    }
    request.extensions_mut().insert(RequestId(id.as_str().into()));
    // Until the request is answered or given up.
    let kept = Kept::default();
    request.extensions_mut().insert(kept.clone());
    let known = Known::default();
    request.extensions_mut().insert(known.clone());
    async {
        let writes = !request.method().is_safe() && route != QUESTIONS;
        let mut response = problem::render(next.run(request).await, &id, writes);
        if let Ok(id) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        let status = response.status();
        answer_headers::complete(response.headers_mut(), status, &path);
        let (status, took) = (response.status().as_u16(), begun.elapsed());
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        if known.is_so() || app.strangers.may_have_line() {
            tracing::info!(method, path, status, micros, "answered");
        } else {
            tracing::debug!(method, path, status, micros, "answered");
        }
        app.metrics.count(method, route, status, took);
        drop(kept);
        response
    }
    .instrument(span)
    .await
}

/// The id a caller gave, if it is short and plain: it goes into the log, the audit, traces and what programs make of
/// them.
fn given_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/".contains(&byte);
    let fits = (1..=ID_MAX).contains(&id.len()) && id.bytes().all(is_plain);
    fits.then(|| id.to_owned())
}

fn fresh_id() -> String {
    let mut bytes = [0; 12];
    // Without randomness ids repeat, which makes the log harder to read and nothing unsafe.
    if let Err(error) = getrandom::fill(&mut bytes) {
        tracing::warn!(%error, "no randomness for request ids");
    }
    hexadecimal(&bytes)
}

/// An address as the log may have it: not longer than most are, and some people send the secret of a token where its
/// name belongs.
fn logged(path: &str) -> String {
    let is_secret = |segment: &str| Secret::shown(segment).is_some();
    let mut logged = String::new();
    for (number, segment) in path.split('/').enumerate() {
        if number > 0 {
            logged.push('/');
        }
        logged.push_str(if is_secret(segment) { "…" } else { segment });
        if let Some((end, _)) = logged.char_indices().nth(PATH_MAX) {
            logged.truncate(end);
            return logged + "…";
        }
    }
    logged
}

/// Returns the name of a known method. Unknown methods share one name, so that callers cannot multiply the series of a
/// counter.
fn known(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "PUT" => "PUT",
        "POST" => "POST",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

/// The answer when a handler panics.
pub(in crate::http) fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let said = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = said.unwrap_or("?"), "a request broke off");
    Refusal::internal().into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_an_address_stays_out_of_the_log() {
        let secret = Secret::of([7; 32]);
        assert_eq!(logged(&format!("/api/v1/tokens/{}/rotate", secret.reveal())), "/api/v1/tokens/…/rotate");
        assert_eq!(logged("/api/v1/tokens/desk"), "/api/v1/tokens/desk");
    }

    #[test]
    fn a_long_address_is_cut_off_in_the_log() {
        let longest = format!("/{}", "a".repeat(PATH_MAX - 1));
        assert_eq!(logged(&longest), longest);
        assert_eq!(logged(&format!("{longest}a")), format!("{longest}…"));
        for long in ["/".repeat(64_000), "a".repeat(64_000), "é/".repeat(32_000)] {
            assert_eq!(logged(&long).chars().count(), PATH_MAX + 1);
        }
    }

    #[test]
    fn an_id_of_the_caller_is_short_and_plain() {
        let given = |id: &str| given_id(&HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_str(id).unwrap())]));
        let longest = "a".repeat(ID_MAX);
        for id in ["mine-7", "0af7651916cd43dd8448eb211c80319c", "svc/a:b_c.d", &longest] {
            assert_eq!(given(id).as_deref(), Some(id));
        }
        let too_long = format!("{longest}a");
        for id in ["", "a b", "a\"b", "<script>", "a,b", "a=b", "${x}", "{\"a\":1}", &too_long] {
            assert_eq!(given(id), None, "{id}");
        }
    }
}
