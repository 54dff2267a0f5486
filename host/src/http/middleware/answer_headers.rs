//! The headers of every answer for browsers and caches: the type is not to be guessed, and which caches may keep the
//! answer.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

const NOSNIFF: (HeaderName, HeaderValue) = (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));

/// No cache keeps the answer.
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
/// The caller alone keeps the answer, and asks each time whether it is still right.
const PRIVATE: HeaderValue = HeaderValue::from_static("private, no-cache");
/// Every cache may keep the answer, and asks each time whether it is still right.
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");

/// Where answers are about people or secrets, and no copy stays behind.
const CONFIDENTIAL: [&str; 6] =
    ["/api/v1/audit", "/api/v1/recordings", "/api/v1/secrets", "/api/v1/tokens", "/api/v1/traces", "/api/v1/upgrades"];

/// Completes the headers of an answer to a request for `path`. What a handler said itself stays.
pub(in crate::http) fn complete(headers: &mut HeaderMap, status: StatusCode, path: &str) {
    headers.insert(NOSNIFF.0, NOSNIFF.1);
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, caching(headers, status, path));
    }
}

/// Which caches may keep an answer. One with a tag is asked for again cheaply, so the caller may keep it.
fn caching(headers: &HeaderMap, status: StatusCode, path: &str) -> HeaderValue {
    let is_good = status == StatusCode::OK || status == StatusCode::NOT_MODIFIED;
    let is_tagged = is_good && headers.contains_key(header::ETAG);
    let below = |address: &str| path.strip_prefix(address).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if !is_tagged || CONFIDENTIAL.iter().any(|address| below(address)) {
        return NO_STORE;
    }
    if below("/api") {
        return PRIVATE;
    }
    if below("/health") || below("/metrics") { NO_STORE } else { NO_CACHE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_keep_an_answer() {
        let tagged = HeaderMap::from_iter([(header::ETAG, HeaderValue::from_static("\"7\""))]);
        let caching = |tagged: &HeaderMap, status, path| caching(tagged, status, path);
        for (path, expected) in [
            ("/api/v1/profiles/new_p", PRIVATE),
            ("/api/v1/users/kayla/experience", PRIVATE),
            ("/api/v1/tokens", NO_STORE),
            ("/api/v1/tokens/desk", NO_STORE),
            ("/api/v1/tokensmith", PRIVATE),
            ("/health/ready", NO_STORE),
            ("/metrics", NO_STORE),
            ("/openapi.json", NO_CACHE),
        ] {
            assert_eq!(caching(&tagged, StatusCode::OK, path), expected, "{path}");
            assert_eq!(caching(&tagged, StatusCode::CONFLICT, path), NO_STORE, "{path} refused");
            assert_eq!(caching(&HeaderMap::new(), StatusCode::OK, path), NO_STORE, "{path} without a tag");
        }
    }
}
