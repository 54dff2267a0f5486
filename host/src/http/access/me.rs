//! Who am I? Everybody with a token that serves may ask, and learns nothing about anybody else.

use axum::{Extension, Json};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::access::{Caller, Privilege, Roles};

use crate::http::query::{Nothing, Query};
use crate::http::state::App;

pub(in crate::http) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(me))
}

/// Whoever calls.
#[derive(Debug, Serialize, ToSchema)]
struct Me {
    /// The name of the token, under which history knows its holder.
    name: String,
    /// What the token is there to do.
    roles: Roles,
    /// What that allows.
    privileges: Vec<Privilege>,
}

/// Says who the token makes of whoever calls, and what that allows.
#[utoipa::path(
    get, path = "/api/v1/me", operation_id = "get-me", tag = "access",
    responses((status = 200, description = "Whoever calls.", body = Me)),
)]
async fn me(_: Query<Nothing>, Extension(caller): Extension<Caller>) -> Json<Me> {
    let privileges = caller.roles().privileges().into_iter().collect();
    Json(Me { name: caller.name().to_owned(), roles: caller.roles().clone(), privileges })
}
