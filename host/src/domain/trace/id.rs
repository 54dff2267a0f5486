//! Ids of traces: they sort by time, and no two processes make the same id.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The id of a trace: 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceId(u128); // Invariant: 48 bits of milliseconds, 40 bits of the process, 40 bits counted by it.

/// A text that is not the id of a trace.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no trace: the name of one has 32 hexadecimal digits")]
pub struct InvalidTraceId(String);

impl TraceId {
    const PART: u32 = 40;
    const MASK: u128 = (1 << Self::PART) - 1;

    /// Makes the id of the `count`th trace of a process.
    pub fn new(at: jiff::Timestamp, process: u64, count: u64) -> Self {
        let millis = u128::try_from(at.as_millisecond()).unwrap_or_default();
        let (process, count) = (u128::from(process) & Self::MASK, u128::from(count) & Self::MASK);
        Self((millis << (2 * Self::PART)) | (process << Self::PART) | count)
    }

    /// Returns an id that sorts before every trace made at `at` or later.
    pub fn before(at: jiff::Timestamp) -> Self {
        Self::new(at, 0, 0)
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl FromStr for TraceId {
    type Err = InvalidTraceId;

    fn from_str(typed: &str) -> Result<Self, InvalidTraceId> {
        let fits = typed.len() == 32 && typed.bytes().all(|byte| byte.is_ascii_hexdigit());
        let parsed = fits.then(|| u128::from_str_radix(typed, 16).ok()).flatten();
        parsed.map(Self).ok_or_else(|| InvalidTraceId(typed.chars().take(100).collect()))
    }
}

impl Serialize for TraceId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TraceId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl utoipa::PartialSchema for TraceId {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        crate::domain::text::plain("What a record is known by.", "^[0-9a-fA-F]{32}$", 32, 32)
    }
}

impl utoipa::ToSchema for TraceId {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_records_sort_behind_earlier_ones() {
        let at = |millis| jiff::Timestamp::from_millisecond(millis).unwrap();
        let ids = [(5, 9, 9), (6, 1, 2), (6, 1, 3), (6, 2, 0)]
            .map(|(time, process, count)| TraceId::new(at(time), process, count));
        assert!(ids.is_sorted() && TraceId::before(at(6)) > ids[0] && TraceId::before(at(6)) < ids[1]);
        let texts = ids.map(|id| id.to_string());
        assert!(texts.is_sorted(), "the database compares texts: {texts:?}");
        assert_eq!(texts[1].parse(), Ok(ids[1]));
    }

    #[test]
    fn what_names_no_record_is_refused() {
        for typed in ["", "1", "../etc/passwd", &"g".repeat(32), &"0".repeat(33), "+1111111111111111111111111111111"] {
            let refused = typed.parse::<TraceId>().unwrap_err().to_string();
            assert_eq!(refused, format!("`{typed}` names no trace: the name of one has 32 hexadecimal digits"));
        }
    }
}
