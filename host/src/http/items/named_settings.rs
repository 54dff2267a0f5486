//! Reads, replaces and deletes one named part of the environment. The handlers of connectors and trusted publishers
//! call these functions.

use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::domain::Kind;
use crate::domain::access::Caller;
use crate::domain::revision::Author;

use super::{REVISION, number};
use crate::http::etag::Conditions;
use crate::http::items;
use crate::http::problem::Refusal;
use crate::http::state::App;

/// That a part is gone, and the newest revision.
pub(in crate::http) type Gone = (StatusCode, [(HeaderName, HeaderValue); 1]);

/// The part of `kind` called `name`, in the shape that [`put`] takes.
pub(in crate::http) async fn get(app: App, kind: Kind, name: String) -> Result<Response, Refusal> {
    app.run(move |service| Ok(items::get(service.store(), kind, &name)?.shown(kind, &name))).await
}

/// Makes the part of `kind` called `name`, which its handler looked at, or replaces it whole.
pub(in crate::http) async fn put(
    app: App,
    kind: Kind,
    name: String,
    body: Value,
    caller: Caller,
    conditions: Conditions,
    author: Author,
) -> Result<Response, Refusal> {
    let put = app.run(move |service| items::put_as(service, caller, kind, &name, body, &conditions, &author));
    Ok(put.await?.into_response())
}

/// Deletes the part of `kind` called `name`.
pub(in crate::http) async fn delete(
    app: App,
    kind: Kind,
    name: String,
    caller: Caller,
    conditions: Conditions,
    author: Author,
) -> Result<Gone, Refusal> {
    let delete = app.run(move |service| items::delete(service, &caller, kind, &name, false, &conditions, &author));
    Ok((StatusCode::NO_CONTENT, [(REVISION, number(delete.await?.revision))]))
}
