//! Lists of items: filtered, sorted, a page at a time.
//!
//! Library items come from the snapshot. People come from the database in batches, so that a page of a million costs
//! what it shows and not what there is.

use std::sync::Arc;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::Value;

use crate::domain::Kind;
use crate::service::Service;
use crate::store::{Layer, Snapshot, Store};

use super::filter::Filter;
use super::order::{Order, Place};
use super::page::{self, Filling, Foremost};
use super::problem::Refusal;
use super::view::{self, Meta};
use super::{etag, query};

/// People read at once.
const BATCH: usize = 500;

/// Which items, in which order.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Items on the page, 1 to 500; 50 without it.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
    /// Continues after this unique name or, in a list with an order, after this cursor.
    after: Option<String>,
    /// Which items, such as `contains(name,'case') and state eq 'active'`.
    filter: Option<String>,
    /// Sorted by what, such as `name desc,uniqueName`; by unique name without it.
    order: Option<String>,
}

/// One page of the items of `kind`, which have the attributes `known`.
pub(super) fn list(service: &Service, kind: Kind, known: &[String], query: &ListQuery) -> Result<Response, Refusal> {
    let limit = page::limit(query.limit)?;
    let filter = query.filter.as_deref().map(|typed| Filter::parse(typed, known)).transpose();
    let filter = filter.map_err(|error| query::invalid_filter(error.to_string()))?;
    let order = query.order.as_deref().map(|typed| Order::parse(typed, known)).transpose();
    let order = order.map_err(Refusal::query)?;
    let after = query.after.as_deref();

    let source = Source::of(service.store(), kind)?;
    let passes = |item: &Value| filter.as_ref().is_none_or(|filter| filter.passes(item));
    let (page, cursor) = match &order {
        None => by_name(&source, after.unwrap_or_default(), limit, passes)?,
        Some(order) => {
            let after = after.map(|cursor| order.continued(cursor)).transpose().map_err(Refusal::query)?;
            sorted(&source, order, after.as_ref(), limit, passes)?
        }
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
    let page = page.finish(next.as_deref());
    Ok(match source {
        Source::Library(snapshot, _) => {
            ([(header::ETAG, etag::of_revision(snapshot.revision()))], page).into_response()
        }
        Source::People(_) => page,
    })
}

/// Items by unique name: as many as fit that pass, and the name to continue after if there are more.
fn by_name(
    source: &Source<'_>,
    after: &str,
    limit: usize,
    passes: impl Fn(&Value) -> bool,
) -> Result<(Filling, Option<String>), Refusal> {
    let (mut page, mut last, mut more) = (Filling::new(limit), String::new(), false);
    source.visit(after, &mut |name, item| {
        if passes(&item) {
            more = !page.add(&item);
            if more {
                return false;
            }
            name.clone_into(&mut last);
        }
        true
    })?;
    Ok((page, more.then_some(last)))
}

/// Items in an order. Everything is looked at, and no more than a page is kept.
fn sorted(
    source: &Source<'_>,
    order: &Order,
    after: Option<&Place>,
    limit: usize,
    passes: impl Fn(&Value) -> bool,
) -> Result<(Filling, Option<String>), Refusal> {
    let mut foremost = Foremost::new(limit);
    source.visit("", &mut |name, item| {
        if passes(&item) {
            let place = order.place(name, &item);
            if after.is_none_or(|after| order.compare(after, &place).is_lt()) {
                foremost.add(place, item, |one, other| order.compare(one, other));
            }
        }
        true
    })?;
    let (kept, mut more) = foremost.finish();
    let (mut page, mut last) = (Filling::new(limit), None);
    for (place, item) in &kept {
        if !page.add(item) {
            more = true;
            break;
        }
        last = Some(place.cursor());
    }
    Ok((page, last.filter(|_| more)))
}

/// Where the items of a list come from.
enum Source<'a> {
    Library(Arc<Snapshot>, Kind),
    People(&'a Store),
}

impl<'a> Source<'a> {
    fn of(store: &'a Store, kind: Kind) -> Result<Self, Refusal> {
        Ok(if kind == Kind::User { Self::People(store) } else { Self::Library(store.snapshot()?, kind) })
    }

    /// Shows items after `after` by unique name, until `visit` has seen enough.
    fn visit(&self, after: &str, visit: &mut dyn FnMut(&str, Value) -> bool) -> Result<(), Refusal> {
        match self {
            Self::Library(snapshot, kind) => {
                for (name, entry) in snapshot.entries(*kind).filter(|(name, _)| ***name > *after) {
                    let meta = Meta { layer: entry.layer, revision: entry.revision };
                    if !visit(name, view::show(*kind, name, &entry.item, meta)) {
                        break;
                    }
                }
            }
            Self::People(store) => {
                let mut after = after.to_owned();
                loop {
                    let batch = store.people(&after, BATCH)?;
                    let last = batch.len() < BATCH;
                    for (login, user, revision) in batch {
                        let meta = Meta { layer: Layer::Custom, revision };
                        if !visit(&login, view::show(Kind::User, &login, &user.into(), meta)) {
                            return Ok(());
                        }
                        after = login;
                    }
                    if last {
                        break;
                    }
                }
            }
        }
        Ok(())
    }
}
