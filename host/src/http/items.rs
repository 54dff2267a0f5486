//! Reads, replaces, patches and deletes one item of any kind. The handlers of the collections call these functions.

pub(in crate::http) mod assignments;
pub(in crate::http) mod attribute;
pub(in crate::http) mod collections;
pub(in crate::http) mod connectors;
pub(in crate::http) mod copy;
pub(in crate::http) mod default_profile;
pub(in crate::http) mod deletion;
pub(in crate::http) mod environment;
pub(in crate::http) mod filter;
pub(in crate::http) mod list;
pub(in crate::http) mod named_settings;
pub(in crate::http) mod order;
pub(in crate::http) mod rank_and_roles;
pub(in crate::http) mod trusted_publishers;
pub(in crate::http) mod view;

use std::cell::Cell;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::domain::access::Caller;
use crate::domain::plugin::Skipped;
use crate::domain::revision::Author;
use crate::domain::{AnyItem, InvalidItem, Kind, Name, Problems, Revision, bounds, merge_patch};
use crate::service::{Error, Service};
use crate::store::{self, Change, ChangeSet, Committed, Displaced, Expect, How, Layer, Store};

use self::view::{Meta, Said};
use super::etag::{self, Conditions};
use super::page;
use super::problem::Refusal;

/// The newest revision, on every answer to a write.
pub(super) const REVISION: HeaderName = HeaderName::from_static("x-loadout-revision");

/// Steps that broke and were passed over, on the answer to the write they took part in.
const SKIPPED: HeaderName = HeaderName::from_static("x-loadout-skipped-steps");

/// Direct assignments that ended because the apps of a profile changed, on the answer to that change: profile and
/// number of people.
const ENDED: HeaderName = HeaderName::from_static("x-loadout-ended-assignments");

/// Most bytes of that header. Clients and proxies refuse answers whose headers are long.
const ENDED_MAX: usize = 4096;

/// Most bytes of it that the number of the profiles that are not named takes.
const OTHERS_MAX: usize = 32;

/// An item as the store has it.
pub(super) struct Stored {
    pub(super) item: AnyItem,
    pub(super) meta: Meta,
}

/// An item that was written.
pub(super) struct Written {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) stored: Stored,
    pub(super) created: bool,
    /// The newest revision afterwards.
    pub(super) revision: Revision,
    /// Steps that broke and were passed over.
    pub(super) skipped: Vec<Skipped>,
    /// Direct assignments that ended because the apps of a profile changed.
    pub(super) displaced: Vec<Displaced>,
}

/// The item of `kind` called `name`, if there is one.
pub(super) fn find(store: &Store, kind: Kind, name: &str) -> Result<Option<Stored>, Refusal> {
    if kind == Kind::User {
        let found = store.user(name)?;
        let meta = |revision| Meta { layer: Layer::Custom, revision };
        return Ok(found.map(|(user, revision)| Stored { item: user.into(), meta: meta(revision) }));
    }
    let snapshot = store.snapshot()?;
    Ok(snapshot
        .entry(kind, name)
        .map(|entry| Stored { item: entry.item.clone(), meta: Meta { layer: entry.layer, revision: entry.revision } }))
}

/// The item of `kind` called `name`, which must be there.
pub(super) fn get(store: &Store, kind: Kind, name: &str) -> Result<Stored, Refusal> {
    find(store, kind, name)?.ok_or_else(|| store::Error::NotFound { kind, name: name.to_owned() }.into())
}

/// Makes the item of `kind` called `name`, or replaces it whole, by a caller who must have the privilege for everything
/// that changes.
pub(super) fn put_as(
    service: &Service,
    caller: Caller,
    kind: Kind,
    name: &str,
    body: Value,
    conditions: &Conditions,
    author: &Author,
) -> Result<Written, Refusal> {
    // What is no item is said first: preconditions are about requests that would be carried out (RFC 9110, 13.2.1).
    let (json, said) = view::take_apart(kind, name, body)?;
    let item = AnyItem::parse(kind, name, json)?;
    let current = find(service.store(), kind, name)?.map(|stored| stored.meta);
    let expect = conditions.expect(kind, name, current.map(|meta| meta.revision));
    let expect = expect.and_then(|expect| narrowed(kind, name, expect, &said, current));
    let expect = expect.map_err(|refusal| unfit(&item, name).unwrap_or(refusal))?;
    Ok(commit_by(service, Some(caller), name, item, expect, author)?)
}

/// Merges `patch` into the item of `kind` called `name` (RFC 7396), by a caller who must have the privilege for
/// everything that changes.
pub(super) fn patch(
    service: &Service,
    caller: &Caller,
    kind: Kind,
    name: &str,
    patch: Value,
    conditions: &Conditions,
    author: &Author,
) -> Result<Written, Refusal> {
    let (patch, said) = view::take_apart(kind, name, patch)?;
    retried(service.store(), || {
        let current = get(service.store(), kind, name)?;
        let mut json = current.item.to_json();
        merge_patch::merge(&mut json, patch.clone());
        let item = AnyItem::parse(kind, name, json)?;
        let expect = conditions.expect(kind, name, Some(current.meta.revision));
        let expect = expect.and_then(|expect| narrowed(kind, name, expect, &said, Some(current.meta)));
        let expect = expect.map_err(|refusal| unfit(&item, name).unwrap_or(refusal))?;
        let named = expect != Expect::Anything;
        let expect = if named { expect } else { Expect::Revision(current.meta.revision) };
        Ok(Attempt { outcome: commit_by(service, Some(caller.clone()), name, item, expect, author), again: !named })
    })
}

/// Deletes the item of `kind` called `name`, and the links to it if `force` says so and `caller` may write what holds
/// them.
pub(super) fn delete(
    service: &Service,
    caller: &Caller,
    kind: Kind,
    name: &str,
    force: bool,
    conditions: &Conditions,
    author: &Author,
) -> Result<Committed, Refusal> {
    let current = get(service.store(), kind, name)?;
    let expect = conditions.expect(kind, name, Some(current.meta.revision))?;
    let change = Change::Delete { kind, name: name.into(), expect, force };
    let changes = ChangeSet { caller: Some(caller.clone()), ..ChangeSet::new([change]) };
    Ok(service.commit(&changes, author)?)
}

/// A write that may have lost a race.
pub(super) struct Attempt<T> {
    pub(super) outcome: Result<T, Error>,
    /// Whether losing a race is no reason to give up: the client named no revision.
    pub(super) again: bool,
}

/// Tries until no race is lost; the last time, no other caller writes meanwhile.
pub(super) fn retried<T>(
    store: &Store,
    mut attempt: impl FnMut() -> Result<Attempt<T>, Refusal>,
) -> Result<T, Refusal> {
    let lost = Cell::new(false);
    store.racing(
        |_| lost.take(),
        || {
            let Attempt { outcome, again } = attempt()?;
            let raced =
                |error: &Error| matches!(error, Error::Store(store::Error::Stale { .. } | store::Error::Exists { .. }));
            lost.set(again && outcome.as_ref().is_err_and(raced));
            Ok(outcome?)
        },
    )
}

/// Writes one item and reads it back.
pub(super) fn commit(
    service: &Service,
    name: &str,
    item: AnyItem,
    expect: Expect,
    author: &Author,
) -> Result<Written, Error> {
    commit_by(service, None, name, item, expect, author)
}

fn commit_by(
    service: &Service,
    caller: Option<Caller>,
    name: &str,
    item: AnyItem,
    expect: Expect,
    author: &Author,
) -> Result<Written, Error> {
    let (store, kind) = (service.store(), item.kind());
    let change = Change::Put { name: name.into(), item, expect };
    let changes = ChangeSet { caller, ..ChangeSet::new([change]) };
    let Committed { revision, changed, skipped, displaced, .. } = service.commit(&changes, author)?;
    let how = changed.iter().find(|changed| changed.collection == kind.collection() && changed.name == name);
    let stored = written(store, kind, name, revision, how.is_some())?;
    let created = how.is_some_and(|changed| changed.how == How::Created);
    Ok(Written { kind, name: name.to_owned(), stored, created, revision, skipped, displaced })
}

fn written(store: &Store, kind: Kind, name: &str, revision: Revision, changed: bool) -> Result<Stored, store::Error> {
    let gone = || store::Error::NotFound { kind, name: name.to_owned() };
    if kind != Kind::User {
        let snapshot = store.snapshot_at(revision)?;
        let entry = snapshot.entry(kind, name).ok_or_else(gone)?;
        return Ok(Stored { item: entry.item.clone(), meta: Meta { layer: entry.layer, revision: entry.revision } });
    }
    let (item, since) = if changed {
        let login: Name<_> = name.parse()?;
        (store.person(&login, revision)?.ok_or_else(gone)?.user, revision)
    } else {
        store.user(name)?.ok_or_else(gone)?
    };
    Ok(Stored { item: item.into(), meta: Meta { layer: Layer::Custom, revision: since } })
}

/// Why `item` could not be stored whatever is there, if that is so.
fn unfit(item: &AnyItem, name: &str) -> Option<Refusal> {
    let mut problems = Problems::default();
    item.check(&mut problems);
    problems.0.extend(bounds::check(item, None));
    let invalid = InvalidItem { kind: item.kind(), name: name.to_owned(), problems };
    (!invalid.problems.is_empty()).then(|| invalid.into())
}

/// Narrows `expect` by the statements of a body about its own item, which must be true.
fn narrowed(kind: Kind, name: &str, expect: Expect, said: &Said, current: Option<Meta>) -> Result<Expect, Refusal> {
    if let (Some(typed), Some(current)) = (said.layer, current)
        && current.layer != typed
    {
        let typed = typed.as_str();
        let message = format!("`{typed}` is not the layer of the item, and cannot be chosen: leave it out");
        return Err(Refusal::request("meta.layer", message));
    }
    match (said.revision, current) {
        (None, _) => Ok(expect),
        // What was never written is shown at revision 0.
        (Some(Revision(0)), None) => Ok(Expect::Absent),
        (Some(_), None) => Err(store::Error::NotFound { kind, name: name.to_owned() }.into()),
        (Some(seen), Some(Meta { revision: current, .. })) if seen != current => {
            Err(store::Error::Stale { kind, name: name.to_owned(), seen, current }.into())
        }
        (Some(seen), Some(_)) => Ok(if expect == Expect::Absent { expect } else { Expect::Revision(seen) }),
    }
}

impl Stored {
    /// The answer to a GET.
    pub(super) fn shown(&self, kind: Kind, name: &str) -> Response {
        let body = view::show(kind, name, &self.item, self.meta);
        ([(header::ETAG, etag::of_revision(self.meta.revision))], axum::Json(body)).into_response()
    }
}

impl IntoResponse for Written {
    fn into_response(self) -> Response {
        let mut response = self.stored.shown(self.kind, &self.name);
        let headers = response.headers_mut();
        headers.insert(REVISION, number(self.revision));
        headers.extend(passed_over(&self.skipped));
        headers.extend(ended(&self.displaced));
        if self.created {
            *response.status_mut() = StatusCode::CREATED;
            if self.kind.is_collection() {
                let location = format!("/api/v1/{}/{}", self.kind.collection(), page::escaped(&self.name));
                if let Ok(location) = HeaderValue::from_str(&location) {
                    response.headers_mut().insert(header::LOCATION, location);
                }
            }
        }
        response
    }
}

/// The header that names steps that broke and were passed over; none if none was.
pub(super) fn passed_over(skipped: &[Skipped]) -> HeaderMap {
    let each = skipped.iter().map(|Skipped { plugin, step, code, .. }| format!("{plugin} {step} {code}"));
    let text = each.collect::<Vec<_>>().join(", ");
    let value = HeaderValue::from_str(&text).ok().filter(|_| !skipped.is_empty());
    value.into_iter().map(|value| (SKIPPED, value)).collect()
}

/// Returns the header that names the profiles whose assignments ended; none if no assignment ended. Names as many
/// profiles as a header holds, and counts the others.
fn ended(displaced: &[Displaced]) -> HeaderMap {
    let mut text = String::new();
    let mut named = 0;
    for it in Displaced::named(displaced).0 {
        let comma = if named == 0 { "" } else { ", " };
        let entry = format!("{comma}{} {}", page::escaped(&it.profile), it.people);
        if text.len() + entry.len() + OTHERS_MAX > ENDED_MAX {
            break;
        }
        text.push_str(&entry);
        named += 1;
    }
    match displaced.len() - named {
        0 => {}
        others if named == 0 => text = format!("{others} more"),
        others => text.push_str(&format!(", {others} more")),
    }
    let value = HeaderValue::from_str(&text).ok().filter(|_| !displaced.is_empty());
    value.into_iter().map(|value| (ENDED, value)).collect()
}

/// A revision as the value of a header.
pub(super) fn number(revision: Revision) -> HeaderValue {
    HeaderValue::from(revision.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_about_ended_assignments_is_bounded_and_counts_what_it_leaves_out() {
        // Each sign takes twelve bytes of the header.
        let (short, long) = ("new_desk".to_owned(), "\u{1f642}".repeat(100));
        let longest = page::escaped(&long);
        for (name, count, starts, ends) in [
            (&short, 0, "", ""),
            (&short, 1, "new_desk 7", "new_desk 7"),
            (&short, 20, "new_desk 7, new_desk 7", "new_desk 7, new_desk 7"),
            (&short, 21, "new_desk 7, new_desk 7", "new_desk 7, 1 more"),
            (&short, 5000, "new_desk 7, new_desk 7", "new_desk 7, 4980 more"),
            (&long, 3, longest.as_str(), " 7"),
            (&long, 30, longest.as_str(), " 7, 27 more"),
            (&"\u{1f642}".repeat(1000), 30, "30 more", "30 more"),
        ] {
            let displaced = Displaced { profile: name.clone(), by: "new_calls".to_owned(), people: 7 };
            let headers = ended(&vec![displaced; count]);
            let said = headers.get(ENDED).map_or("", |value| value.to_str().unwrap());
            assert!(said.len() <= ENDED_MAX, "{count}: {} bytes", said.len());
            assert!(said.starts_with(starts) && said.ends_with(ends), "{count}: {said}");
            assert_eq!(headers.is_empty(), count == 0);
        }
    }
}
