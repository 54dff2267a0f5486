//! Sets of texts: ranges by code point. SQLite, PostgreSQL's `COLLATE "C"` and Rust all compare texts by code point.

use std::cmp::Ordering;
use std::ops::Bound;

/// Texts between two bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct Range {
    pub(in crate::store) from: Bound<String>,
    pub(in crate::store) to: Bound<String>,
}

/// A set of texts: ascending ranges that do not meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranges(Vec<Range>);

impl Ranges {
    /// Returns the set of one text.
    pub fn one(text: &str) -> Self {
        Self::of(Bound::Included(text.to_owned()), Bound::Included(text.to_owned()))
    }

    /// Returns the set of the given texts.
    pub fn each<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let point = |text: &str| Range { from: Bound::Included(text.to_owned()), to: Bound::Included(text.to_owned()) };
        Self::joined(texts.into_iter().map(point).collect())
    }

    /// Returns the set of the texts that begin with `prefix`.
    pub fn starting_with(prefix: &str) -> Self {
        Self::of(Bound::Included(prefix.to_owned()), past(prefix).map_or(Bound::Unbounded, Bound::Excluded))
    }

    /// Returns the set of the texts between two bounds.
    pub fn of(from: Bound<String>, to: Bound<String>) -> Self {
        Self::joined(vec![Range { from, to }])
    }

    /// Returns the set of the texts that are in at least one of both sets.
    #[must_use]
    pub fn or(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        Self::joined(self.0)
    }

    /// Returns the set of the texts that are in both sets.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let pairs = self.0.iter().flat_map(|a| other.0.iter().map(move |b| (a, b)));
        let both = pairs.map(|(a, b)| Range {
            from: if from(&a.from, &b.from).is_lt() { &b.from } else { &a.from }.clone(),
            to: if to(&a.to, &b.to).is_lt() { &a.to } else { &b.to }.clone(),
        });
        Self::joined(both.collect())
    }

    /// Returns whether a text is in the set.
    pub fn contains(&self, text: &str) -> bool {
        self.0.iter().any(|range| range.contains(text))
    }

    /// Returns the texts, if the set is a list of them.
    pub(in crate::store) fn texts(&self) -> Option<Vec<&str>> {
        let text =
            |range: &'_ Range| matches!((&range.from, &range.to), (Bound::Included(a), Bound::Included(b)) if a == b);
        let all = self.0.iter().all(text);
        all.then(|| self.0.iter().filter_map(|range| range.start()).collect())
    }

    pub(in crate::store) fn ranges(&self) -> &[Range] {
        &self.0
    }

    fn joined(mut ranges: Vec<Range>) -> Self {
        ranges.retain(|range| !range.is_empty());
        ranges.sort_by(|a, b| from(&a.from, &b.from));
        let mut joined: Vec<Range> = Vec::with_capacity(ranges.len());
        for range in ranges {
            match joined.last_mut().filter(|last| meets(&last.to, &range.from)) {
                Some(last) if to(&last.to, &range.to).is_lt() => last.to = range.to,
                Some(_) => {}
                None => joined.push(range),
            }
        }
        Self(joined)
    }
}

impl Range {
    /// The range of all texts.
    pub(in crate::store) const ALL: Self = Self { from: Bound::Unbounded, to: Bound::Unbounded };

    pub(in crate::store) fn contains(&self, text: &str) -> bool {
        let from = match &self.from {
            Bound::Included(from) => from.as_str() <= text,
            Bound::Excluded(from) => from.as_str() < text,
            Bound::Unbounded => true,
        };
        from && match &self.to {
            Bound::Included(to) => text <= to.as_str(),
            Bound::Excluded(to) => text < to.as_str(),
            Bound::Unbounded => true,
        }
    }

    /// Returns whether every text of the range is less than `text`.
    pub(in crate::store) fn is_below(&self, text: &str) -> bool {
        match &self.to {
            Bound::Included(to) => to.as_str() < text,
            Bound::Excluded(to) => to.as_str() <= text,
            Bound::Unbounded => false,
        }
    }

    fn start(&self) -> Option<&str> {
        match &self.from {
            Bound::Included(text) | Bound::Excluded(text) => Some(text),
            Bound::Unbounded => None,
        }
    }

    fn is_empty(&self) -> bool {
        match (&self.from, &self.to) {
            (Bound::Included(from), Bound::Included(to)) => from > to,
            (Bound::Included(from) | Bound::Excluded(from), Bound::Included(to) | Bound::Excluded(to)) => from >= to,
            _ => false,
        }
    }
}

/// Returns the least text that is greater than all texts that begin with `prefix`; `None` if there is no such text.
fn past(prefix: &str) -> Option<String> {
    let mut kept: Vec<char> = prefix.chars().collect();
    while let Some(last) = kept.pop() {
        // Skips the code points that are no characters.
        if let Some(next) = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32) {
            kept.push(next);
            return Some(kept.into_iter().collect());
        }
    }
    None
}

/// Compares two bounds as the starts of ranges.
fn from(a: &Bound<String>, b: &Bound<String>) -> Ordering {
    let place = |bound: &Bound<String>| matches!(bound, Bound::Excluded(_));
    match (text(a), text(b)) {
        (Some(x), Some(y)) => x.cmp(y).then(place(a).cmp(&place(b))),
        (x, y) => x.is_some().cmp(&y.is_some()),
    }
}

/// Compares two bounds as the ends of ranges.
fn to(a: &Bound<String>, b: &Bound<String>) -> Ordering {
    let place = |bound: &Bound<String>| matches!(bound, Bound::Included(_));
    match (text(a), text(b)) {
        (Some(x), Some(y)) => x.cmp(y).then(place(a).cmp(&place(b))),
        (x, y) => x.is_none().cmp(&y.is_none()),
    }
}

/// Returns whether no text lies between the end of a range and the start of one that begins no earlier.
fn meets(to: &Bound<String>, from: &Bound<String>) -> bool {
    match (text(to), text(from)) {
        (Some(end), Some(start)) => match end.cmp(start) {
            Ordering::Greater => true,
            Ordering::Less => false,
            Ordering::Equal => matches!(to, Bound::Included(_)) || matches!(from, Bound::Included(_)),
        },
        _ => true,
    }
}

fn text(bound: &Bound<String>) -> Option<&str> {
    match bound {
        Bound::Included(text) | Bound::Excluded(text) => Some(text),
        Bound::Unbounded => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_begins_with_a_prefix_ends_before_the_next_text() {
        for (prefix, end) in [
            ("a", Some("b")),
            ("az", Some("a{")),
            ("\u{d7ff}", Some("\u{e000}")),
            ("a\u{10ffff}", Some("b")),
            ("\u{10ffff}", None),
            ("", None),
        ] {
            assert_eq!(past(prefix).as_deref(), end, "{prefix:?}");
        }
    }

    fn bound() -> impl Strategy<Value = Bound<String>> {
        prop_oneof![
            Just(Bound::Unbounded),
            "[ab\u{10ffff}]{0,2}".prop_map(Bound::Included),
            "[ab\u{10ffff}]{0,2}".prop_map(Bound::Excluded),
        ]
    }

    fn ranges() -> impl Strategy<Value = Ranges> {
        prop_oneof![
            (bound(), bound()).prop_map(|(from, to)| Ranges::of(from, to)),
            "[ab\u{10ffff}]{0,2}".prop_map(|prefix| Ranges::starting_with(&prefix)),
            prop::collection::vec("[ab]{0,2}", 0..4).prop_map(|all| Ranges::each(all.iter().map(String::as_str))),
        ]
    }

    proptest! {
        /// A text is in at most one range of a set, and unions and intersections hold the right texts.
        #[test]
        fn sets_are_sets(a in ranges(), b in ranges(), c in ranges(), text in "[ab\u{10ffff}]{0,3}") {
            let [in_a, in_b, in_c] = [&a, &b, &c].map(|set| set.contains(&text));
            prop_assert_eq!(a.clone().or(b.clone()).contains(&text), in_a || in_b);
            prop_assert_eq!(a.and(&b).contains(&text), in_a && in_b);
            prop_assert_eq!(a.clone().or(b.clone()).and(&c).contains(&text), (in_a || in_b) && in_c);
            for set in [&a, &b, &a.clone().or(b.clone())] {
                prop_assert!(set.ranges().iter().filter(|range| range.contains(&text)).count() < 2);
            }
            for range in a.ranges() {
                prop_assert!(!(range.is_below(&text) && range.contains(&text)));
            }
        }
    }
}
