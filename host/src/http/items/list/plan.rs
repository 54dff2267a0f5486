//! How people are found: which index a filter can be begun with, and which one has the order that is wanted.
//!
//! What an index finds is only where to look. Each person found is held against the whole filter.

use std::ops::Bound;

use serde_json::Value;

use crate::http::items::attribute::Path;
use crate::http::items::filter::{Comparison, Filter, Part};
use crate::http::items::order::Order;
use crate::store::{PeopleOrder, PersonKey, Ranges};

/// Ways that are looked at for one filter. Each costs counting what the index has.
const WAYS_MAX: usize = 8;

/// An index, and the part of it that has every person who passes.
pub(super) type Way = (PersonKey, Ranges);

/// The ways to find every person who passes a filter. None if every person has to be looked at.
pub(super) fn ways(filter: &Filter) -> Vec<Way> {
    let mut ways = match filter {
        Filter::And(a, b) => {
            let mut ways = ways(a);
            for (key, ranges) in self::ways(b) {
                // A person has one login and one name, and maybe several roles.
                match ways.iter_mut().find(|(known, _)| *known == key && key != PersonKey::Role) {
                    Some((_, known)) => *known = known.and(&ranges),
                    None => ways.push((key, ranges)),
                }
            }
            ways
        }
        Filter::Or(a, b) => {
            let (a, b) = (ways(a), ways(b));
            let pairs = a.iter().flat_map(|one| b.iter().map(move |other| (one, other)));
            pairs
                .filter(|(one, other)| one.0 == other.0)
                .map(|(one, other)| (one.0, one.1.clone().or(other.1.clone())))
                .collect()
        }
        Filter::Not(_) => Vec::new(),
        Filter::Compare(path, comparison, value) => {
            let ranges = value.as_str().and_then(|text| compared(*comparison, text));
            key(path).zip(ranges).into_iter().collect()
        }
        Filter::In(path, values) => {
            let texts: Option<Vec<&str>> = values.iter().map(Value::as_str).collect();
            key(path).zip(texts.map(Ranges::each)).into_iter().collect()
        }
        Filter::Text(path, Part::Start, prefix) => {
            key(path).map(|key| (key, Ranges::starting_with(prefix))).into_iter().collect()
        }
        Filter::Text(_, Part::Anywhere | Part::End, _) => Vec::new(),
    };
    ways.truncate(WAYS_MAX);
    ways
}

/// Whether a way finds a person.
pub(super) fn finds((key, ranges): &Way, login: &str, display_name: &str, roles: &[&str]) -> bool {
    match key {
        PersonKey::Login => ranges.contains(login),
        PersonKey::DisplayName => ranges.contains(display_name),
        PersonKey::Role => roles.iter().any(|role| ranges.contains(role)),
    }
}

/// The order of an index that is the order wanted.
pub(super) fn order(wanted: &Order) -> Option<PeopleOrder> {
    let mut keys = wanted.keys();
    let (first, descending) = keys.next()?;
    let key = key(first)?;
    let logins_descending = match keys.next() {
        None => false,
        // No two people have one login.
        Some(_) if key == PersonKey::Login => false,
        Some((second, descending)) => {
            self::key(second).filter(|second| *second == PersonKey::Login).map(|_| descending)?
        }
    };
    Some(PeopleOrder { key, descending, logins_descending })
}

fn compared(comparison: Comparison, text: &str) -> Option<Ranges> {
    let text = text.to_owned();
    Some(match comparison {
        Comparison::Equal => Ranges::one(&text),
        Comparison::NotEqual => return None,
        Comparison::Greater => Ranges::of(Bound::Excluded(text), Bound::Unbounded),
        Comparison::GreaterOrEqual => Ranges::of(Bound::Included(text), Bound::Unbounded),
        Comparison::Less => Ranges::of(Bound::Unbounded, Bound::Excluded(text)),
        Comparison::LessOrEqual => Ranges::of(Bound::Unbounded, Bound::Included(text)),
    })
}

fn key(path: &Path) -> Option<PersonKey> {
    let keys = [("uniqueName", PersonKey::Login), ("displayName", PersonKey::DisplayName), ("roles", PersonKey::Role)];
    keys.into_iter().find(|(name, _)| path.is(name)).map(|(_, key)| key)
}
