//! Pages: how many, how large, after which, and where the next one is.

use std::cmp::Ordering;

use axum::http::header;
use axum::response::{IntoResponse, Response};
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
/// A page ends before the item with which it would have more bytes, however many items were asked for. One item is
/// always on it.
const BYTES_MAX: usize = 4 << 20;

/// One page of a list.
#[derive(Debug, Serialize)]
pub(super) struct Page {
    pub(super) items: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<String>,
}

/// A page that is being written, item by item: no more than its text is held.
pub(super) struct Filling {
    text: Vec<u8>,
    count: usize,
    limit: usize,
}

impl Filling {
    /// A page of up to `limit` items.
    pub(super) fn new(limit: usize) -> Self {
        Self { text: b"{\"items\":[".to_vec(), count: 0, limit }
    }

    /// Puts an item at the end, if there is room for it. If not, the page ends here, and the item is the first of the
    /// next.
    pub(super) fn add(&mut self, item: &Value) -> bool {
        let text = item.to_string();
        let fits = self.count < self.limit && (self.count == 0 || self.text.len() + text.len() <= BYTES_MAX);
        if fits {
            if self.count > 0 {
                self.text.push(b',');
            }
            self.text.extend_from_slice(text.as_bytes());
            self.count += 1;
        }
        fits
    }

    /// The page as an answer, with the address of the next one if there is more.
    pub(super) fn finish(mut self, next: Option<&str>) -> Response {
        self.text.push(b']');
        if let Some(next) = next {
            self.text.extend_from_slice(format!(",\"next\":{}", Value::from(next)).as_bytes());
        }
        self.text.push(b'}');
        ([(header::CONTENT_TYPE, "application/json")], self.text).into_response()
    }
}

/// The first items of an order, as many as fit on a page, out of items that come in any order.
pub(super) struct Foremost<P> {
    kept: Vec<(P, Value, usize)>,
    bytes: usize,
    limit: usize,
    /// The foremost of those that do not fit.
    cut: Option<P>,
}

impl<P> Foremost<P> {
    /// Of up to `limit` items.
    pub(super) fn new(limit: usize) -> Self {
        Self { kept: Vec::new(), bytes: 0, limit, cut: None }
    }

    /// Takes an item in if its place is among those that fit. No more is held than a page and one item.
    pub(super) fn add(&mut self, place: P, item: Value, compare: impl Fn(&P, &P) -> Ordering) {
        if self.cut.as_ref().is_some_and(|cut| compare(cut, &place).is_lt()) {
            return;
        }
        let at = self.kept.partition_point(|(other, ..)| compare(other, &place).is_lt());
        let size = item.to_string().len();
        self.bytes += size;
        self.kept.insert(at, (place, item, size));
        while self.kept.len() > self.limit || (self.bytes > BYTES_MAX && self.kept.len() > 1) {
            if let Some((place, _, size)) = self.kept.pop() {
                self.bytes -= size;
                self.cut = Some(place);
            }
        }
    }

    /// The items with their places, and whether there are more.
    pub(super) fn finish(self) -> (Vec<(P, Value)>, bool) {
        (self.kept.into_iter().map(|(place, item, _)| (place, item)).collect(), self.cut.is_some())
    }
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

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use serde_json::json;

    use super::*;

    fn item(name: usize, bytes: usize) -> Value {
        json!({"name": name, "text": "x".repeat(bytes)})
    }

    #[tokio::test]
    async fn a_page_ends_when_it_is_large_and_has_one_item_at_least() {
        const MIB: usize = 1 << 20;
        let sizes = [6 * MIB, 1, MIB, MIB, MIB, 3 * MIB, 10, 10];
        let (mut at, mut pages) = (0, Vec::new());
        while at < sizes.len() {
            let mut page = Filling::new(3);
            let begun = at;
            while at < sizes.len() && page.add(&item(at, sizes[at])) {
                at += 1;
            }
            let next = (at < sizes.len()).then(|| format!("/there?after=\"{at}\""));
            let answer = page.finish(next.as_deref());
            assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/json");
            let text = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
            let read: Value = serde_json::from_slice(&text).unwrap();
            let names: Vec<u64> =
                read["items"].as_array().unwrap().iter().map(|it| it["name"].as_u64().unwrap()).collect();
            assert_eq!(names, (begun as u64..at as u64).collect::<Vec<_>>());
            assert_eq!(read.get("next").and_then(Value::as_str), next.as_deref());
            pages.push(names.len());
        }
        assert_eq!(
            pages,
            [1, 3, 1, 3],
            "a large one alone; three, which is the limit; one that the next does not fit beside; the rest"
        );
    }

    #[test]
    fn the_foremost_items_are_found_in_whatever_order_they_come() {
        const MIB: usize = 1 << 20;
        // The third does not fit, and what is behind it must not take its place, however small.
        let sizes = [2 * MIB, MIB, 2 * MIB, 1, 1];
        let orders = [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 3, 4, 0, 1], [3, 0, 2, 4, 1]];
        for order in orders {
            let of = |limit| {
                let mut page = Foremost::new(limit);
                for name in order {
                    page.add(name, item(name, sizes[name]), usize::cmp);
                }
                let (kept, more) = page.finish();
                (kept.into_iter().map(|(place, _)| place).collect::<Vec<_>>(), more)
            };
            assert_eq!(of(5), (vec![0, 1], true), "in the order {order:?}");
            assert_eq!(of(1), (vec![0], true), "in the order {order:?}");
        }
        let mut all = Foremost::new(2);
        for name in [1, 0] {
            all.add(name, item(name, 8 * MIB * (1 - name)), usize::cmp);
        }
        assert_eq!(all.finish().0.len(), 1, "one at least, and no more than fits");
    }
}
