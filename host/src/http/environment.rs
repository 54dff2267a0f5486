//! What holds for everybody.

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::access::{Caller, Privilege};
use crate::domain::{Environment, Kind, PluginSettings, Revision};
use crate::store::Layer;

use super::body::Json;
use super::etag::Conditions;
use super::items::{self, Stored};
use super::problem::Refusal;
use super::query::{By, Nothing, Query};
use super::state::App;
use super::view::{Meta, View};

type Shown = View<Environment>;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get, put))
}

/// Shows what holds for everybody; as long as nobody wrote it, what holds without a word, at revision 0.
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

/// Replaces what holds for everybody. To say otherwise which plugins are taken needs `plugin.install`, too.
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
        let here = service.store().snapshot()?.environment().plugins;
        if !caller.has(Privilege::PluginInstall) && plugins(&body).is_some_and(|wanted| wanted != here) {
            return Err(Refusal::forbidden(caller.name(), Privilege::PluginInstall));
        }
        items::put(service, Kind::Environment, Environment::NAME, body, &conditions, &author)
    });
    Ok(put.await?.into_response())
}

/// What a body says about plugins; nothing if it will be refused anyway.
fn plugins(body: &Value) -> Option<PluginSettings> {
    body.get("plugins").map_or(Some(PluginSettings::default()), |plugins| PluginSettings::deserialize(plugins).ok())
}
