//! Connectors: where plugins that were granted them look up records, and search for articles.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::access::Caller;
use crate::domain::{Connector, ConnectorName, Kind};
use crate::service::ConnectorView;

use super::named_settings as parts;
use super::named_settings::Gone;
use super::view::View;
use crate::http::body;
use crate::http::etag::Conditions;
use crate::http::problem::Refusal;
use crate::http::query::{By, Nothing, Query};
use crate::http::state::App;

type Shown = View<Connector>;

pub(in crate::http) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get, put, delete))
}

/// Every connector.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConnectorList)]
struct Connectors {
    /// By name.
    items: Vec<ConnectorView>,
}

/// Lists the connectors.
#[utoipa::path(
    get, path = "/api/v1/connectors", operation_id = "list-connectors", tag = "plugins",
    responses((status = 200, description = "Every connector.", body = Connectors)),
)]
async fn list(State(app): State<App>, _: Query<Nothing>) -> Result<Json<Connectors>, Refusal> {
    Ok(Json(Connectors { items: app.run(|service| Ok(service.connectors()?)).await? }))
}

/// Returns the target of a connector, in the shape that a write takes.
#[utoipa::path(
    get, path = "/api/v1/connectors/{connector}", operation_id = "get-connector", tag = "plugins",
    params(("connector" = String, Path, description = "The name that plugins ask for.")),
    responses((status = 200, description = "The connector.", body = Shown)),
)]
async fn get(State(app): State<App>, Path(connector): Path<String>, _: Query<Nothing>) -> Result<Response, Refusal> {
    parts::get(app, Kind::Connector, connector).await
}

/// Sets the target of a connector. Plugins that were granted it ask there from now on.
#[utoipa::path(
    put, path = "/api/v1/connectors/{connector}", operation_id = "put-connector", tag = "plugins",
    params(("connector" = String, Path, description = "The name that plugins ask for.")), request_body = Shown,
    responses(
        (status = 200, description = "The connector is replaced.", body = Shown),
        (status = 201, description = "The connector is new.", body = Shown),
    ),
)]
async fn put(
    State(app): State<App>,
    Path(connector): Path<String>,
    _: Query<Nothing>,
    conditions: Conditions,
    Extension(caller): Extension<Caller>,
    By(author): By,
    body::Json(body): body::Json,
) -> Result<Response, Refusal> {
    connector
        .parse::<ConnectorName>()
        .map_err(|error| Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-name", error.to_string()))?;
    parts::put(app, Kind::Connector, connector, body, caller, conditions, author).await
}

/// Deletes a connector: every call of a plugin through it is refused.
#[utoipa::path(
    delete, path = "/api/v1/connectors/{connector}", operation_id = "delete-connector", tag = "plugins",
    params(("connector" = String, Path, description = "The name that plugins ask for.")),
    responses((status = 204, description = "The connector is deleted.")),
)]
async fn delete(
    State(app): State<App>,
    Path(connector): Path<String>,
    _: Query<Nothing>,
    conditions: Conditions,
    Extension(caller): Extension<Caller>,
    By(author): By,
) -> Result<Gone, Refusal> {
    parts::delete(app, Kind::Connector, connector, caller, conditions, author).await
}
