//! Lists of people: begun with an index and in its order wherever there is one, and bounded in time where there is
//! none.
//!
//! Those whom an index finds in the order that is wanted are taken along it. A few who stand in another order are
//! sorted here; where there are more than a few, the index that has the order is walked.

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use serde_json::Value;

use crate::domain::Kind;
use crate::http::items::filter::Filter;
use crate::http::items::order::{Order, Place};
use crate::http::items::view;
use crate::http::items::view::Meta;
use crate::http::page::{Filling, Foremost};
use crate::http::problem::Refusal;
use crate::store::{Layer, PeopleOrder, PersonKey, Standing, Store};

use super::plan;
use super::plan::Way;

/// People read at once.
const BATCH: usize = 500;

/// What a list of people may cost.
pub(super) struct Bounds {
    /// People found by an index that are sorted here.
    sorted: usize,
    /// People looked at of whom the answer says nothing.
    untold: usize,
    /// How long people are looked at.
    time: Duration,
}

impl Bounds {
    /// Those of the API.
    pub(super) const USUAL: Self = Self { sorted: 10_000, untold: 10_000, time: Duration::from_secs(2) };
}

/// Which people, in which order.
pub(super) struct Asked<'a> {
    pub(super) filter: Option<&'a Filter>,
    pub(super) order: Option<&'a Order>,
    pub(super) after: Option<&'a str>,
    pub(super) limit: usize,
}

/// A page of people.
pub(super) struct Found {
    pub(super) page: Filling,
    /// What continues after the page, if there is more.
    pub(super) cursor: Option<String>,
    /// How many people were looked at, if that is worth telling.
    pub(super) scanned: Option<usize>,
}

/// The page that was asked for.
pub(super) fn page(store: &Store, asked: &Asked<'_>, bounds: &Bounds) -> Result<Found, Refusal> {
    let place = match (asked.order, asked.after) {
        (Some(order), Some(cursor)) => Some(order.continued(cursor).map_err(Refusal::query)?),
        _ => None,
    };
    let by_index = asked.order.map_or(Some(PeopleOrder::BY_LOGIN), plan::order);
    let walked = by_index.unwrap_or(PeopleOrder::BY_LOGIN);
    let after = match (&place, asked.after, asked.order) {
        (Some(place), Some(cursor), Some(order)) if by_index.is_some() => {
            Some(standing(place, walked).ok_or_else(|| Refusal::query(order.not_continued(cursor)))?)
        }
        (None, Some(login), _) => Some(Standing { key: login.to_owned(), login: login.to_owned() }),
        _ => None,
    };
    let ways = asked.filter.map(plan::ways).unwrap_or_default();
    let people = People::of(store, ways, walked, after, bounds)?;
    let look = Look { store, filter: asked.filter, bounds, begun: Instant::now(), count: 0 };
    match (by_index, asked.order) {
        (None, Some(order)) => foremost(look, people, order, place.as_ref(), asked.limit),
        _ => in_turn(look, people, asked.order, asked.limit),
    }
}

/// People who come in the order that is wanted: no more are looked at than the page needs.
fn in_turn(mut look: Look<'_>, mut people: People<'_>, order: Option<&Order>, limit: usize) -> Result<Found, Refusal> {
    let (mut page, mut last) = (Filling::new(limit), None);
    // What fits on the page and one more, which tells whether there is another page.
    let mut at_once = (limit + 1).min(BATCH);
    loop {
        let batch = people.next(at_once)?;
        if batch.is_empty() {
            return Ok(look.found(page, None));
        }
        for (login, item) in look.at(batch)? {
            if !page.add(&item) {
                return Ok(look.found(page, last));
            }
            last = Some(order.map_or_else(|| login.clone(), |order| order.place(&login, &item).cursor()));
        }
        at_once = (at_once * 2).min(BATCH);
    }
}

/// People who come in another order than is wanted: all of them are looked at, and no more than a page is kept.
fn foremost(
    mut look: Look<'_>,
    mut people: People<'_>,
    order: &Order,
    after: Option<&Place>,
    limit: usize,
) -> Result<Found, Refusal> {
    let mut foremost = Foremost::new(limit);
    loop {
        let batch = people.next(BATCH)?;
        if batch.is_empty() {
            let (page, cursor) = super::of_foremost(foremost, limit);
            return Ok(look.found(page, cursor));
        }
        for (login, item) in look.at(batch)? {
            let place = order.place(&login, &item);
            if after.is_none_or(|after| order.compare(after, &place).is_lt()) {
                foremost.add(place, item, |one, other| order.compare(one, other));
            }
        }
    }
}

/// Where a cursor stands in the order of an index; nothing if no person could have made it.
fn standing(place: &Place, order: PeopleOrder) -> Option<Standing> {
    let login = place.name().to_owned();
    let key = match (order.key, place.key()) {
        (PersonKey::Login, _) => login.clone(),
        (_, Value::String(key)) => key.clone(),
        (PersonKey::Role, Value::Null) => String::new(),
        _ => return None,
    };
    Some(Standing { key, login })
}

/// Every person who may pass, in an order of the database, a batch at a time.
enum People<'a> {
    /// Few, who stand in another order, and were sorted.
    Sorted(std::vec::IntoIter<Standing>),
    /// Along an index, maybe in a part of it.
    Walked { store: &'a Store, order: PeopleOrder, within: Option<Way>, after: Option<Standing> },
}

impl<'a> People<'a> {
    fn of(
        store: &'a Store,
        ways: Vec<Way>,
        order: PeopleOrder,
        after: Option<Standing>,
        bounds: &Bounds,
    ) -> Result<Self, Refusal> {
        let mut fewest: Option<(usize, &Way)> = None;
        for way in &ways {
            let most = fewest.map_or(bounds.sorted + 1, |(count, _)| count);
            let count = store.count_people(way.0, &way.1, most)?;
            if count < most {
                fewest = Some((count, way));
            }
        }
        if let Some((_, (key, ranges))) = fewest
            && !order.suits(*key, ranges)
        {
            let mut sorted = store.sorted_people(*key, ranges, order)?;
            if let Some(after) = after {
                sorted.drain(..sorted.partition_point(|one| order.compare(one, &after).is_le()));
            }
            return Ok(Self::Sorted(sorted.into_iter()));
        }
        let suiting = || ways.iter().find(|(key, ranges)| order.suits(*key, ranges));
        let within = fewest.map(|(_, way)| way).or_else(suiting).cloned();
        Ok(Self::Walked { store, order, within, after })
    }

    /// Up to `limit` more people; an empty list at the end.
    fn next(&mut self, limit: usize) -> Result<Vec<Standing>, Refusal> {
        match self {
            Self::Sorted(sorted) => Ok(sorted.take(limit).collect()),
            Self::Walked { store, order, within, after } => {
                let within = within.as_ref().map(|(key, ranges)| (*key, ranges));
                let people = store.walk_people(*order, within, after.as_ref(), limit)?;
                if let Some(last) = people.last() {
                    *after = Some(last.clone());
                }
                Ok(people)
            }
        }
    }
}

/// Looks at people, and counts them.
struct Look<'a> {
    store: &'a Store,
    filter: Option<&'a Filter>,
    bounds: &'a Bounds,
    begun: Instant,
    count: usize,
}

impl Look<'_> {
    /// Those of some people who pass.
    fn at(&mut self, people: Vec<Standing>) -> Result<Vec<(String, Value)>, Refusal> {
        let time = self.bounds.time;
        if self.begun.elapsed() > time {
            return Err(Refusal::new(
                StatusCode::CONFLICT,
                "list-too-long",
                format!(
                    "{} people were looked at in {} seconds, and the page is not full: find fewer by `eq`, `in` or `startswith` on \
                     `uniqueName`, `displayName` or `roles`, and sort by one of these, because they have an index",
                    self.count,
                    time.as_secs()
                ),
            ));
        }
        self.count += people.len();
        let shown = self.store.people_at(people)?.into_iter().map(|(standing, user, revision)| {
            let item = view::show(Kind::User, &standing.login, &user.into(), Meta { layer: Layer::Custom, revision });
            (standing.login, item)
        });
        Ok(shown.filter(|(_, item)| self.filter.is_none_or(|filter| filter.passes(item))).collect())
    }

    fn found(&self, page: Filling, cursor: Option<String>) -> Found {
        Found { page, cursor, scanned: Some(self.count).filter(|count| *count > self.bounds.untold) }
    }
}

#[cfg(test)]
mod tests;
