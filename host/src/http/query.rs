//! Query strings, and the small headers that go with writes. An unknown parameter is refused with an error that names
//! it.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
use serde::de::DeserializeOwned;

use crate::domain::Effort;
use crate::domain::access::Caller;
use crate::domain::name::is_unseen;
use crate::domain::revision::Author;
use crate::resolve::Asker;

use super::problem::Refusal;
use super::request_id::RequestId;

/// The query string as a `T`, which must refuse unknown keys.
pub(super) struct Query<T>(pub(super) T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        parse(&parts.uri).map(Self)
    }
}

fn parse<T: DeserializeOwned>(uri: &Uri) -> Result<T, Refusal> {
    axum::extract::Query::try_from_uri(uri).map(|axum::extract::Query(query)| query).map_err(|rejection| {
        let cause = std::iter::successors(std::error::Error::source(&rejection), |error| error.source()).last();
        let reason = cause.map_or_else(|| rejection.body_text(), ToString::to_string);
        Refusal::query(format!("the query `{}` is not valid: {reason}", uri.query().unwrap_or_default()))
    })
}

/// No query at all, for addresses that take none.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// The author of a write: the caller, with the words of the header `X-Loadout-Reason`.
pub(super) struct By(pub(super) Author);

impl By {
    const REASON: &str = "x-loadout-reason";
    /// Most characters of a reason.
    pub(super) const REASON_MAX: usize = 1000;

    /// Whether a text can be a reason: short, and of characters that those who read the history see.
    fn is_reason(why: &str) -> bool {
        why.chars().count() <= Self::REASON_MAX && !why.chars().any(|c| c.is_control() || is_unseen(c))
    }
}

impl<S: Sync> FromRequestParts<S> for By {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        // A caller that writes has passed the guard.
        let caller = parts.extensions.get::<Caller>().ok_or_else(Refusal::internal)?;
        let given = parts.headers.get(Self::REASON).map_or(&b""[..], |value| value.as_bytes());
        let why = std::str::from_utf8(given).ok().filter(|why| Self::is_reason(why));
        let why = why.ok_or_else(|| {
            let max = Self::REASON_MAX;
            let detail = format!(
                "`X-Loadout-Reason` takes UTF-8 text of at most {max} characters that can be seen: shorten it, and leave others out"
            );
            Refusal::new(StatusCode::BAD_REQUEST, "invalid-header", detail)
        })?;
        let (request, effort) = (request_of(parts), effort_of(parts));
        Ok(Self(Author { request, effort, ..Author::new(caller.name(), why) }))
    }
}

/// The caller that waits for an answer.
pub(super) struct For(pub(super) Asker);

impl<S: Sync> FromRequestParts<S> for For {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let token = parts.extensions.get::<Caller>().map(|caller| caller.name().into());
        Ok(Self(Asker { request: request_of(parts), token, effort: effort_of(parts) }))
    }
}

fn request_of(parts: &Parts) -> Option<Arc<str>> {
    parts.extensions.get::<RequestId>().map(|RequestId(id)| Arc::clone(id))
}

/// Returns the effort of the request, which is given up with it.
fn effort_of(parts: &Parts) -> Arc<Effort> {
    parts.extensions.get::<Arc<Effort>>().cloned().unwrap_or_default()
}

/// A filter that cannot be understood.
pub(super) fn invalid_filter(detail: String) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "invalid-filter", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_short_and_can_be_seen() {
        for reason in ["", "New desk, see #12", "Größere Kasse — 日本", &"é".repeat(By::REASON_MAX)] {
            assert!(By::is_reason(reason), "{reason}");
        }
        for reason in ["a\u{9b}2J", "a\u{202e}b", "a\u{200b}b", "a\tb", "a\u{2028}b", &"é".repeat(By::REASON_MAX + 1)]
        {
            assert!(!By::is_reason(reason), "{reason:?}");
        }
    }
}
