//! Lists of items: filtered, sorted, a page at a time.
//!
//! Library items come from the snapshot. People come from the database (`list/people.rs`), so that a page of a million
//! costs what it shows and not what there is.

mod people;
mod plan;

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::Value;

use crate::domain::Kind;
use crate::service::Service;
use crate::store::Snapshot;

use super::filter::Filter;
use super::order::{Order, Place};
use super::view;
use super::view::Meta;
use crate::http::page;
use crate::http::page::{Filling, Foremost};
use crate::http::problem::Refusal;
use crate::http::{etag, query};

/// How many people were looked at for a page, where that was more than an index would cost.
const SCANNED: HeaderName = HeaderName::from_static("x-loadout-scanned");

/// The items that are listed, and their order.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct ListQuery {
    /// Items on the page, 1 to 500; 50 without it.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
    /// Continues after this unique name or, in a list with an order, after this cursor.
    after: Option<String>,
    /// Which items, such as `contains(name,'case') and state eq 'active'`; `eq ne gt ge lt le in`, `contains startswith
    /// endswith`, `and or not` and parentheses are known. Of users, `uniqueName`, `displayName` and `roles` have an
    /// index, which `eq`, `in`, `startswith` and comparisons use; an answer that needed more than 10,000 people to be
    /// looked at says how many in the header `x-loadout-scanned`, and one that would take more than 2 seconds is
    /// refused with 409 `list-too-long`.
    filter: Option<String>,
    /// Sorted by what, such as `name desc,uniqueName`; by unique name without it. Of users, `uniqueName`, `displayName`
    /// and `roles`, the last two perhaps with `uniqueName` behind, have an index.
    order: Option<String>,
}

/// Whether lists of users take a filter. Only the fuzz targets and their seeds ask: the call panics where an index
/// would miss a person who passes the filter.
pub(crate) fn takes_filter(typed: &str) -> bool {
    let known = ["uniqueName", "displayName", "roles", "licences", "language", "meta"].map(str::to_owned);
    let Ok(filter) = Filter::parse(typed, &known) else { return false };
    let person =
        serde_json::json!({"uniqueName": "ada", "displayName": "Ada", "roles": ["agent", "boss"], "language": 1033});
    if filter.passes(&person) {
        let finds = |way: &plan::Way| plan::finds(way, "ada", "Ada", &["agent", "boss"]);
        assert!(plan::ways(&filter).iter().all(finds), "an index does not find who passes `{typed}`");
    }
    true
}

/// One page of the items of `kind`, which have the attributes `known`.
pub(in crate::http) fn list(
    service: &Service,
    kind: Kind,
    known: &[String],
    query: &ListQuery,
) -> Result<Response, Refusal> {
    let limit = page::limit(query.limit)?;
    let filter = query.filter.as_deref().map(|typed| Filter::parse(typed, known)).transpose();
    let filter = filter.map_err(|error| query::invalid_filter(error.to_string()))?;
    let order = query.order.as_deref().map(|typed| Order::parse(typed, known)).transpose();
    let order = order.map_err(Refusal::query)?;
    let after = query.after.as_deref();

    let (page, cursor, headers) = if kind == Kind::User {
        let asked = people::Asked { filter: filter.as_ref(), order: order.as_ref(), after, limit };
        let found = people::page(service.store(), &asked, &people::Bounds::USUAL)?;
        let scanned = found.scanned.map(|count| (SCANNED, HeaderValue::from(count)));
        (found.page, found.cursor, scanned)
    } else {
        let snapshot = service.store().snapshot()?;
        let passes = |item: &Value| filter.as_ref().is_none_or(|filter| filter.passes(item));
        let (page, cursor) = match &order {
            None => by_name(&snapshot, kind, after.unwrap_or_default(), limit, passes),
            Some(order) => {
                let after = after.map(|cursor| order.continued(cursor)).transpose().map_err(Refusal::query)?;
                sorted(&snapshot, kind, order, after.as_ref(), limit, passes)
            }
        };
        (page, cursor, Some((header::ETAG, etag::of_revision(snapshot.revision()))))
    };
    let next = cursor.map(|cursor| {
        let size = query.limit.map(|limit| limit.to_string());
        let query = [
            ("limit", size.as_deref()),
            ("filter", query.filter.as_deref()),
            ("order", query.order.as_deref()),
            ("after", Some(cursor.as_str())),
        ];
        page::next(&format!("/api/v1/{}", kind.collection()), &query)
    });
    Ok((headers.map(|header| [header]), page.finish(next.as_deref())).into_response())
}

/// Items by unique name: as many as fit that pass, and the name to continue after if there are more.
fn by_name(
    snapshot: &Snapshot,
    kind: Kind,
    after: &str,
    limit: usize,
    passes: impl Fn(&Value) -> bool,
) -> (Filling, Option<String>) {
    let (mut page, mut last) = (Filling::new(limit), None);
    for (name, item) in shown(snapshot, kind).filter(|(name, _)| *name > after) {
        if passes(&item) {
            if !page.add(&item) {
                return (page, last);
            }
            last = Some(name.to_owned());
        }
    }
    (page, None)
}

/// Items in an order. Everything is looked at, and no more than a page is kept.
fn sorted(
    snapshot: &Snapshot,
    kind: Kind,
    order: &Order,
    after: Option<&Place>,
    limit: usize,
    passes: impl Fn(&Value) -> bool,
) -> (Filling, Option<String>) {
    let mut foremost = Foremost::new(limit);
    for (name, item) in shown(snapshot, kind).filter(|(_, item)| passes(item)) {
        let place = order.place(name, &item);
        if after.is_none_or(|after| order.compare(after, &place).is_lt()) {
            foremost.add(place, item, |one, other| order.compare(one, other));
        }
    }
    of_foremost(foremost, limit)
}

/// The page of the items that come first, and the cursor of the last if there are more.
fn of_foremost(foremost: Foremost<Place>, limit: usize) -> (Filling, Option<String>) {
    let (kept, mut more) = foremost.finish();
    let (mut page, mut last) = (Filling::new(limit), None);
    for (place, item) in &kept {
        if !page.add(item) {
            more = true;
            break;
        }
        last = Some(place.cursor());
    }
    (page, last.filter(|_| more))
}

/// The items of a kind as the API shows them, by unique name.
fn shown(snapshot: &Snapshot, kind: Kind) -> impl Iterator<Item = (&str, Value)> {
    snapshot.entries(kind).map(move |(name, entry)| {
        let meta = Meta { layer: entry.layer, revision: entry.revision };
        (&**name, view::show(kind, name, &entry.item, meta))
    })
}
