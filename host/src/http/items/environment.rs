//! The settings of the environment.

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::access::Caller;
use crate::domain::{Environment, Kind, Revision};
use crate::store::Layer;

use super::Stored;
use super::view::{Meta, View};
use crate::http::body::Json;
use crate::http::etag::Conditions;
use crate::http::items;
use crate::http::problem::Refusal;
use crate::http::query::{By, Nothing, Query};
use crate::http::state::App;

type Shown = View<Environment>;

pub(in crate::http) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get, put))
}

/// Returns the settings of the environment. Before the first write they are the defaults, at revision 0.
#[utoipa::path(
    get, path = "/api/v1/environment", operation_id = "get-environment", tag = "environment",
    responses((status = 200, description = "The environment.", body = Shown)),
)]
async fn get(State(app): State<App>, _: Query<Nothing>) -> Result<Response, Refusal> {
    app.run(|service| {
        let stored = items::find(service.store(), Kind::Environment, Environment::NAME)?;
        let unwritten = || Stored {
            item: Environment::default().into(),
            meta: Meta { layer: Layer::OutOfTheBox, revision: Revision(0) },
        };
        Ok(stored.unwrap_or_else(unwritten).shown(Kind::Environment, Environment::NAME))
    })
    .await
}

/// Replaces the settings of the environment. A change of which plugins are taken needs `plugin.trust` as well; of what
/// is kept of their calls, or of what people see of tools without a rule, `plugin.configure`; of the connector that
/// slugs ask, `plugin.grant`.
#[utoipa::path(
    put, path = "/api/v1/environment", operation_id = "put-environment", tag = "environment", request_body = Shown,
    responses(
        (status = 200, description = "The environment, replaced.", body = Shown),
        (status = 201, description = "The environment, written for the first time.", body = Shown),
    ),
)]
async fn put(
    State(app): State<App>,
    _: Query<Nothing>,
    conditions: Conditions,
    Extension(caller): Extension<Caller>,
    By(author): By,
    Json(body): Json,
) -> Result<Response, Refusal> {
    let put = app.run(move |service| {
        items::put_as(service, caller, Kind::Environment, Environment::NAME, body, &conditions, &author)
    });
    Ok(put.await?.into_response())
}
