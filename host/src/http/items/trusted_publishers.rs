//! Trusted publishers: whose plugins must be signed, and by which keys.

use axum::extract::{Path, State};
use axum::response::Response;
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::access::Caller;
use crate::domain::{Kind, TrustedPublisher};
use crate::service::{Error, PublisherView, Service};

use super::named_settings as parts;
use super::named_settings::Gone;
use super::view::View;
use crate::http::body;
use crate::http::etag::Conditions;
use crate::http::problem::Refusal;
use crate::http::query::{By, Nothing, Query};
use crate::http::state::App;

type Shown = View<TrustedPublisher>;

pub(in crate::http) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get, put, delete))
}

/// Every publisher whose plugins must be signed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TrustedPublisherList)]
struct Publishers {
    /// By name.
    items: Vec<PublisherView>,
}

/// Lists the publishers whose plugins must be signed. What holds for all others is `plugins.unsigned` of the
/// environment.
#[utoipa::path(
    get, path = "/api/v1/trusted-publishers", operation_id = "list-trusted-publishers", tag = "plugins",
    responses((status = 200, description = "Every publisher that has keys here.", body = Publishers)),
)]
async fn list(State(app): State<App>, _: Query<Nothing>) -> Result<Json<Publishers>, Refusal> {
    Ok(Json(Publishers { items: app.run(|service| Ok(service.trusted_publishers()?)).await? }))
}

/// Returns the keys that sign for a publisher, in the shape that a write takes.
#[utoipa::path(
    get, path = "/api/v1/trusted-publishers/{publisher}", operation_id = "get-trusted-publisher", tag = "plugins",
    params(("publisher" = String, Path, description = "The name that its plugins begin with.")),
    responses((status = 200, description = "The publisher and its keys.", body = Shown)),
)]
async fn get(State(app): State<App>, Path(publisher): Path<String>, _: Query<Nothing>) -> Result<Response, Refusal> {
    parts::get(app, Kind::TrustedPublisher, publisher).await
}

/// Replaces the keys that sign for a publisher. What serves goes on serving; what is installed or activated from now on
/// needs a signature by one of them. The audit names the keys.
#[utoipa::path(
    put, path = "/api/v1/trusted-publishers/{publisher}", operation_id = "put-trusted-publisher", tag = "plugins",
    params(("publisher" = String, Path, description = "The name that its plugins begin with.")), request_body = Shown,
    responses(
        (status = 200, description = "The publisher has other keys.", body = Shown),
        (status = 201, description = "The publisher is trusted.", body = Shown),
    ),
)]
async fn put(
    State(app): State<App>,
    Path(publisher): Path<String>,
    _: Query<Nothing>,
    conditions: Conditions,
    Extension(caller): Extension<Caller>,
    By(author): By,
    body::Json(body): body::Json,
) -> Result<Response, Refusal> {
    Service::check_publisher(&publisher).map_err(Error::from)?;
    parts::put(app, Kind::TrustedPublisher, publisher, body, caller, conditions, author).await
}

/// Deletes the keys of a publisher: `plugins.unsigned` of the environment says whether its plugins are taken from now
/// on. The audit names the keys.
#[utoipa::path(
    delete, path = "/api/v1/trusted-publishers/{publisher}", operation_id = "delete-trusted-publisher", tag = "plugins",
    params(("publisher" = String, Path, description = "The name that its plugins begin with.")),
    responses((status = 204, description = "The publisher has no keys any more.")),
)]
async fn delete(
    State(app): State<App>,
    Path(publisher): Path<String>,
    _: Query<Nothing>,
    conditions: Conditions,
    Extension(caller): Extension<Caller>,
    By(author): By,
) -> Result<Gone, Refusal> {
    parts::delete(app, Kind::TrustedPublisher, publisher, caller, conditions, author).await
}
