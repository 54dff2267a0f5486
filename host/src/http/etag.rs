//! Entity tags: tags answers, leaves out answers that the client has, and reads the preconditions of writes.
//!
//! The tag of an item is the revision that wrote it. Anything else is tagged by its bytes.

use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::domain::hex::hexadecimal;
use crate::domain::{Kind, Revision};
use crate::store::{self, Expect};

use super::problem::Refusal;

/// Most bytes of an answer that is tagged by its bytes.
const TAGGED_MAX: u64 = 16 << 20;

/// Most tags that are looked at of those that a client says it has.
const TAGS_MAX: usize = 100;

/// Marks an answer that shows more than its revision wrote, such as the health of a plugin: no caller has it already.
#[derive(Debug, Clone, Copy)]
pub(super) struct MoreThanTagged;

/// The tag of what `revision` wrote.
pub(super) fn of_revision(revision: Revision) -> HeaderValue {
    // Digits in quotes are always a header.
    HeaderValue::from_str(&format!("\"{revision}\"")).unwrap_or_else(|_| HeaderValue::from_static("\"0\""))
}

/// The tag of an answer that is these bytes.
pub(super) fn of_bytes(bytes: &[u8]) -> HeaderValue {
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    let hex = hexadecimal(&digest[..16]);
    HeaderValue::from_str(&format!("\"{hex}\"")).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

/// Tags every answer to a GET that has no tag yet, and leaves out what the client has already.
pub(super) async fn conditional(request: Request, next: Next) -> Response {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return next.run(request).await;
    }
    let seen = header_text(request.headers(), &header::IF_NONE_MATCH);
    tagged(next.run(request).await, seen.as_deref()).await
}

/// An answer with its tag, or without what it says if that is tagged as a client has `seen` it.
async fn tagged(response: Response, seen: Option<&str>) -> Response {
    let is_stream = response.headers().get(header::CONTENT_TYPE).is_some_and(|it| it == "text/event-stream");
    if response.status() != StatusCode::OK || is_stream {
        return response;
    }
    let (mut parts, mut body) = response.into_parts();
    // What is larger, or does not say how large it is, goes as it comes and has no tag.
    let is_small = body.size_hint().upper().is_some_and(|size| size <= TAGGED_MAX);
    if !parts.headers.contains_key(header::ETAG) && is_small {
        // It is in memory already, so gathering it takes no more of that.
        let Ok(bytes) = to_bytes(body, usize::MAX).await else { return Refusal::internal().into_response() };
        parts.headers.insert(header::ETAG, of_bytes(&bytes));
        body = Body::from(bytes);
    }
    let Some(tag) = parts.headers.get(header::ETAG).and_then(|tag| tag.to_str().ok()) else {
        return Response::from_parts(parts, body);
    };
    let is_all = parts.extensions.get::<MoreThanTagged>().is_none();
    if is_all && seen.is_some_and(|seen| names(seen, tag)) {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_TYPE);
        parts.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, body)
}

/// Whether the list `seen` has `tag`; weak or strong does not matter for reading.
fn names(seen: &str, tag: &str) -> bool {
    fn strong(tag: &str) -> &str {
        tag.trim().trim_start_matches("W/")
    }
    let tag = strong(tag);
    // A client has read a few versions, so more than these are not looked through.
    seen.trim() == "*" || seen.split(',').take(TAGS_MAX).any(|seen| strong(seen) == tag)
}

fn header_text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let lines: Vec<&str> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    if lines.is_empty() { None } else { Some(lines.join(",")) }
}

/// The preconditions of a write: the tags that its author expects.
#[derive(Debug, Clone, Default)]
pub(super) struct Conditions {
    if_match: Option<String>,
    if_absent: bool,
}

impl<S: Sync> FromRequestParts<S> for Conditions {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let if_none_match = header_text(&parts.headers, &header::IF_NONE_MATCH);
        if let Some(typed) = if_none_match.as_deref().filter(|typed| typed.trim() != "*") {
            let detail =
                format!("a write takes `If-None-Match: *` only, not `{typed}`: use `If-Match` to name a revision");
            return Err(Refusal::new(StatusCode::BAD_REQUEST, "invalid-header", detail));
        }
        Ok(Self { if_match: header_text(&parts.headers, &header::IF_MATCH), if_absent: if_none_match.is_some() })
    }
}

impl Conditions {
    /// What to expect of an item that `current` wrote.
    pub(super) fn expect(&self, kind: Kind, name: &str, current: Option<Revision>) -> Result<Expect, Refusal> {
        let Some(typed) = &self.if_match else {
            return Ok(if self.if_absent { Expect::Absent } else { Expect::Anything });
        };
        if typed.trim() == "*" {
            return Ok(Expect::Present);
        }
        let Some(current) = current else {
            return Err(store::Error::Gone { kind, name: name.to_owned() }.into());
        };
        // Writing compares strongly: a weak tag names no revision.
        let tag = format!("\"{current}\"");
        if typed.split(',').any(|seen| seen.trim() == tag) {
            return Ok(Expect::Revision(current));
        }
        let detail = format!(
            "{kind} `{name}` was written by revision {current}, `If-Match` asks for {}: read it again and repeat the change",
            typed.trim()
        );
        Err(Refusal::new(StatusCode::PRECONDITION_FAILED, "stale", detail))
    }
}

/// A write to an address that names nothing with a tag: an expectation cannot be met, and is refused rather than
/// ignored.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unconditional;

impl<S: Sync> FromRequestParts<S> for Unconditional {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        for header in [header::IF_MATCH, header::IF_NONE_MATCH] {
            if let Some(typed) = header_text(&parts.headers, &header) {
                let detail = format!(
                    "`{header}: {typed}` cannot be honoured here, because this address names nothing that has a revision of its own: send the request without it"
                );
                return Err(Refusal::new(StatusCode::BAD_REQUEST, "invalid-header", detail));
            }
        }
        Ok(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_large_is_not_gathered_for_a_tag() {
        let of = |bytes: u64, is_known: bool| async move {
            let text = vec![b'x'; usize::try_from(bytes).unwrap()];
            let body = match is_known {
                true => Body::from(text),
                false => Body::from_stream(futures_util::stream::iter([Ok::<_, std::io::Error>(text)])),
            };
            let answer = tagged(Response::new(body), None).await;
            let is_tagged = answer.headers().contains_key(header::ETAG);
            assert_eq!(to_bytes(answer.into_body(), usize::MAX).await.unwrap().len() as u64, bytes);
            is_tagged
        };
        assert!(of(5, true).await && of(TAGGED_MAX, true).await);
        assert!(!of(TAGGED_MAX + 1, true).await && !of(5, false).await);
    }

    #[test]
    fn reading_compares_weakly() {
        for (seen, found) in [
            ("\"42\"", true),
            ("W/\"42\"", true),
            ("\"1\", \"42\"", true),
            ("*", true),
            ("\"4\"", false),
            ("42", false),
            ("", false),
        ] {
            assert_eq!(names(seen, "\"42\""), found, "for {seen}");
        }
    }

    #[test]
    fn writing_compares_strongly() {
        let expect = |typed: &str, current| {
            let conditions = Conditions { if_match: Some(typed.to_owned()), if_absent: false };
            conditions.expect(Kind::Profile, "new_p", current).map_err(|problem| problem.status().as_u16())
        };
        let at = |revision| Some(Revision(revision));
        assert_eq!(expect("\"42\"", at(42)), Ok(Expect::Revision(Revision(42))));
        assert_eq!(expect("\"41\", \"42\"", at(42)), Ok(Expect::Revision(Revision(42))));
        assert_eq!(expect("*", None), Ok(Expect::Present));
        assert_eq!(expect("W/\"42\"", at(42)), Err(412));
        assert_eq!(expect("\"41\"", at(42)), Err(412));
        assert_eq!(expect("\"41\"", None), Err(412));
    }
}
