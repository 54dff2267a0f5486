//! The caller's own name, roles and privileges. Every caller with a token that serves may ask; the answer says nothing
//! about other tokens.

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

/// The caller.
#[derive(Debug, Serialize, ToSchema)]
struct Me {
    /// The name of the token, under which history knows its holder.
    name: String,
    /// What the token is there to do.
    roles: Roles,
    /// What that allows.
    privileges: Vec<Privilege>,
}

/// Returns the name of the caller's token, its roles and its privileges.
#[utoipa::path(
    get, path = "/api/v1/me", operation_id = "get-me", tag = "access",
    responses((status = 200, description = "The caller.", body = Me)),
)]
async fn me(_: Query<Nothing>, Extension(caller): Extension<Caller>) -> Json<Me> {
    let privileges = caller.roles().privileges().into_iter().collect();
    Json(Me { name: caller.name().to_owned(), roles: caller.roles().clone(), privileges })
}
