//! The custom default: the profile of every person without a more specific one.

use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::access::Caller;
use crate::domain::{DefaultProfile, Item, Kind};
use crate::service::Service;
use crate::store::Expect;

use super::{Attempt, REVISION, Written, number};
use crate::http::body::Typed;
use crate::http::etag;
use crate::http::etag::Conditions;
use crate::http::items;
use crate::http::problem::Refusal;
use crate::http::query::{By, Nothing, Query};
use crate::http::state::App;

pub(in crate::http) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get, put, delete))
}

/// The custom default after it was set.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Switched {
    /// The profile.
    profile: String,
    /// The default before; nothing if there was none.
    replaced: Option<String>,
    /// Roles mapped to the profile, which count for nothing as long as it is the default.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    dormant_roles: Vec<String>,
}

/// Returns the custom default.
#[utoipa::path(
    get, path = "/api/v1/default-profile", operation_id = "get-default-profile", tag = "assignments",
    responses((status = 200, description = "The custom default.", body = DefaultProfile)),
)]
async fn get(State(app): State<App>, _: Query<Nothing>) -> Result<Response, Refusal> {
    app.run(|service| {
        let default = find(service)?;
        let tag = [(header::ETAG, etag::of_revision(default.meta.revision))];
        Ok((tag, axum::Json(default.item.to_json())).into_response())
    })
    .await
}

/// Makes a profile the custom default, in place of the one that is.
#[utoipa::path(
    put, path = "/api/v1/default-profile", operation_id = "put-default-profile", tag = "assignments",
    request_body = DefaultProfile, responses((status = 200, description = "The default is switched.", body = Switched)),
)]
async fn put(
    State(app): State<App>,
    _: Query<Nothing>,
    conditions: Conditions,
    By(author): By,
    Typed(wanted): Typed<DefaultProfile>,
) -> Result<Response, Refusal> {
    let put = app.run(move |service| {
        let (kind, name) = (Kind::DefaultProfile, DefaultProfile::NAME);
        items::retried(service.store(), || {
            let current = items::find(service.store(), kind, name)?;
            let seen = current.as_ref().map(|stored| stored.meta.revision);
            let expect = conditions.expect(kind, name, seen)?;
            let again = expect == Expect::Anything;
            // What is said to be replaced must be what was replaced.
            let expect = if again { seen.map_or(Expect::Absent, Expect::Revision) } else { expect };
            let replaced = current.and_then(|stored| Some(DefaultProfile::from_any(&stored.item)?.profile.to_string()));
            let outcome = items::commit(service, name, wanted.clone().into(), expect, &author);
            Ok(Attempt { outcome: outcome.map(|written| (written, replaced)), again })
        })
        .and_then(|(written, replaced)| switched(service, &written, replaced))
    });
    put.await
}

fn switched(service: &Service, written: &Written, replaced: Option<String>) -> Result<Response, Refusal> {
    let snapshot = service.store().snapshot_at(written.revision)?;
    let Some(default) = DefaultProfile::from_any(&written.stored.item) else { return Err(Refusal::internal()) };
    let dormant = snapshot.rank_and_roles(&default.profile);
    let switched = Switched {
        profile: default.profile.to_string(),
        replaced: replaced.filter(|replaced| replaced.as_str() != default.profile.as_str()),
        dormant_roles: dormant.into_iter().flat_map(|mapping| &mapping.roles).map(ToString::to_string).collect(),
    };
    let tag = etag::of_revision(written.stored.meta.revision);
    Ok(([(header::ETAG, tag), (REVISION, number(written.revision))], axum::Json(switched)).into_response())
}

/// Deletes the custom default: the environment has none afterwards.
#[utoipa::path(
    delete, path = "/api/v1/default-profile", operation_id = "delete-default-profile", tag = "assignments",
    responses((status = 204, description = "There is no custom default any more.")),
)]
async fn delete(
    State(app): State<App>,
    _: Query<Nothing>,
    conditions: Conditions,
    Extension(caller): Extension<Caller>,
    By(author): By,
) -> Result<Response, Refusal> {
    let delete = app.run(move |service| {
        find(service)?;
        items::delete(service, &caller, Kind::DefaultProfile, DefaultProfile::NAME, false, &conditions, &author)
    });
    Ok((StatusCode::NO_CONTENT, [(REVISION, number(delete.await?.revision))]).into_response())
}

fn find(service: &Service) -> Result<items::Stored, Refusal> {
    items::find(service.store(), Kind::DefaultProfile, DefaultProfile::NAME)?.ok_or_else(|| {
        let detail = "there is no custom default: set one with `PUT`, as in `{\"profile\": \"contoso_rep\"}`";
        Refusal::new(StatusCode::NOT_FOUND, "not-found", detail)
    })
}
