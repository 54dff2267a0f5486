//! Pages: how many, after which, and where the next one is.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::Value;

use super::problem::Refusal;

/// Everything but the characters that never need escaping (RFC 3986, 2.3).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Items on a page that says nothing else.
const LIMIT: usize = 50;
/// Most items on a page.
const LIMIT_MAX: usize = 500;

/// One page of a list.
#[derive(Debug, Serialize)]
pub(super) struct Page {
    pub(super) items: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<String>,
}

/// The number of items asked for.
pub(super) fn limit(asked: Option<usize>) -> Result<usize, Refusal> {
    let limit = asked.unwrap_or(LIMIT);
    if (1..=LIMIT_MAX).contains(&limit) {
        return Ok(limit);
    }
    Err(Refusal::query(format!("`limit` is {limit}: ask for 1 to {LIMIT_MAX} items")))
}

/// `text` as one segment of a path or one value of a query.
pub(super) fn escaped(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

/// The address of the next page.
pub(super) fn next(path: &str, query: &[(&str, Option<&str>)]) -> String {
    let query: Vec<String> =
        query.iter().filter_map(|(key, value)| Some(format!("{key}={}", escaped((*value)?)))).collect();
    format!("{path}?{}", query.join("&"))
}
