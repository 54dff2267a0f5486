//! Rank and roles of a profile: who gets it by role.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::access::Caller;
use crate::domain::{Kind, Name, Profile, RankAndRoles};
use crate::store::{Error, Store};

use super::view::View;
use super::{REVISION, number};
use crate::http::body::Json;
use crate::http::etag::Conditions;
use crate::http::items;
use crate::http::problem::Refusal;
use crate::http::query::{By, Nothing, Query};
use crate::http::state::App;

type Shown = View<RankAndRoles>;

pub(in crate::http) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get, put, delete))
}

/// Returns rank and roles of a profile.
#[utoipa::path(
    get, path = "/api/v1/profiles/{uniqueName}/rank-and-roles", operation_id = "get-rank-and-roles", tag = "assignments",
    params(("uniqueName" = String, Path, description = "The unique name of the profile.")),
    responses((status = 200, description = "Rank and roles.", body = Shown)),
)]
async fn get(State(app): State<App>, Path(profile): Path<String>, _: Query<Nothing>) -> Result<Response, Refusal> {
    app.run(move |service| {
        items::get(service.store(), Kind::Profile, &profile)?;
        let mapping = items::find(service.store(), Kind::RankAndRoles, &profile)?.ok_or_else(|| unmapped(&profile))?;
        Ok(mapping.shown(Kind::RankAndRoles, &profile))
    })
    .await
}

/// Maps roles to a profile. A rank belongs to one profile only, and the custom default has none.
#[utoipa::path(
    put, path = "/api/v1/profiles/{uniqueName}/rank-and-roles", operation_id = "put-rank-and-roles", tag = "assignments",
    params(("uniqueName" = String, Path, description = "The unique name of the profile.")), request_body = Shown,
    responses(
        (status = 200, description = "Rank and roles, replaced.", body = Shown),
        (status = 201, description = "Rank and roles, new.", body = Shown),
    ),
)]
async fn put(
    State(app): State<App>,
    Path(profile): Path<String>,
    _: Query<Nothing>,
    conditions: Conditions,
    Extension(caller): Extension<Caller>,
    By(author): By,
    Json(body): Json,
) -> Result<Response, Refusal> {
    let put = app.run(move |service| {
        refuse_default(service.store(), &profile)?;
        if body.get("roles").and_then(Value::as_array).is_none_or(Vec::is_empty) {
            let message = "name at least one role, or delete the mapping with `DELETE`";
            return Err(Refusal::request("roles", message));
        }
        items::put_as(service, caller, Kind::RankAndRoles, &profile, body, &conditions, &author)
    });
    Ok(put.await?.into_response())
}

/// Deletes rank and roles of a profile.
#[utoipa::path(
    delete, path = "/api/v1/profiles/{uniqueName}/rank-and-roles", operation_id = "delete-rank-and-roles", tag = "assignments",
    params(("uniqueName" = String, Path, description = "The unique name of the profile.")),
    responses((status = 204, description = "The profile has no rank and roles any more.")),
)]
async fn delete(
    State(app): State<App>,
    Path(profile): Path<String>,
    _: Query<Nothing>,
    conditions: Conditions,
    Extension(caller): Extension<Caller>,
    By(author): By,
) -> Result<Response, Refusal> {
    let delete = app.run(move |service| {
        items::get(service.store(), Kind::Profile, &profile)?;
        items::find(service.store(), Kind::RankAndRoles, &profile)?.ok_or_else(|| unmapped(&profile))?;
        items::delete(service, &caller, Kind::RankAndRoles, &profile, false, &conditions, &author)
    });
    Ok((StatusCode::NO_CONTENT, [(REVISION, number(delete.await?.revision))]).into_response())
}

/// A mapping of the custom default would never be looked at (domain 3.2).
fn refuse_default(store: &Store, profile: &str) -> Result<(), Refusal> {
    let name: Name<Profile> = profile.parse()?;
    if store.snapshot()?.default_profile() == Some(&name) {
        return Err(Error::IsDefault { profile: profile.to_owned() }.into());
    }
    Ok(())
}

fn unmapped(profile: &str) -> Refusal {
    let detail = format!("profile `{profile}` has no rank and roles: give it some with `PUT`");
    Refusal::new(StatusCode::NOT_FOUND, "not-found", detail)
}
