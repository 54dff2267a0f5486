//! Rollouts: compares a version with the one that serves, sets the gate of a plugin, and begins, shows and ends a
//! trial.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::access::{Caller, Privilege};
use crate::domain::{Expected, PluginVersion, Promotion, WantedRollout};
use crate::service::{Comparison, Decided, Gatekeeping, PluginView, RolloutView};

use super::{Shown, Tagged, believed, full, shown, tagged};
use crate::http::body::{QUESTION_MAX, Typed};
use crate::http::etag::Conditions;
use crate::http::privileges::also;
use crate::http::problem::Refusal;
use crate::http::query::{By, Nothing, Query};
use crate::http::state::App;

pub(in crate::http) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(compare)).routes(routes!(gate)).routes(routes!(begin, watch, end))
}

/// Which version is compared with the one that serves.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CompareBody {
    /// The version, which must be installed.
    version: PluginVersion,
    /// The changes that the caller expects.
    #[serde(default)]
    expected: Vec<Expected>,
}

/// How a version is tried.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RolloutBody {
    /// Which version, and for whom.
    rollout: WantedRollout,
    /// The changes of recorded answers that the caller expects, if the plugin is gated.
    #[serde(default)]
    expected: Vec<Expected>,
    /// Whether the version is tried whatever it would change. Needs `plugin.configure`.
    #[serde(default)]
    past_gate: bool,
    /// Whether the version answers people although existing settings do not fit it.
    #[serde(default)]
    anyway: bool,
}

/// Replays the recorded calls with a version and with the one that serves, and returns the differences. Changes
/// nothing. The answer holds people and values only for a caller with `plugin.record`.
#[utoipa::path(
    post, path = "/api/v1/plugins/{publisher}/{name}/comparison", operation_id = "compare-plugin-versions", tag = "recordings",
    params(("publisher" = String, Path, description = "The publisher of the plugin."), ("name" = String, Path, description = "The name of the plugin.")),
    request_body = CompareBody, responses((status = 200, description = "The differences between the two versions.", body = Comparison)),
)]
async fn compare(
    State(app): State<App>,
    Path((publisher, name)): Path<(String, String)>,
    _: Query<Nothing>,
    Extension(caller): Extension<Caller>,
    Typed(body): Typed<CompareBody, QUESTION_MAX>,
) -> Result<Json<Comparison>, Refusal> {
    let name = full(&publisher, &name);
    let compared =
        app.run_long(move |service| Ok(service.compare_versions(&name, body.version, &body.expected)?)).await?;
    Ok(Json(if caller.has(Privilege::PluginRecord) { compared } else { compared.without_examples() }))
}

/// Sets what a version of the plugin has to show before it serves: nothing, or that it changes no recorded answer
/// except those that the caller expects to change.
#[utoipa::path(
    put, path = "/api/v1/plugins/{publisher}/{name}/promotion", operation_id = "gate-plugin", tag = "plugins",
    params(("publisher" = String, Path, description = "The publisher of the plugin."), ("name" = String, Path, description = "The name of the plugin.")),
    request_body = Promotion, responses((status = 200, description = "The plugin.", body = PluginView)),
)]
async fn gate(
    State(app): State<App>,
    Path((publisher, name)): Path<(String, String)>,
    _: Query<Nothing>,
    conditions: Conditions,
    By(author): By,
    Typed(wanted): Typed<Promotion>,
) -> Result<Shown, Refusal> {
    let name = full(&publisher, &name);
    let gate = app.run(move |service| {
        let expect = believed(service, &name, &conditions)?;
        Ok(service.gate_plugin(&name, expect, wanted, &author)?)
    });
    Ok(shown(gate.await?))
}

/// Tries a version beside the one that serves: in its shadow, for a share of all people, or for a group. The rollout is
/// stopped when the version fails too often; all people are then answered by the version that serves.
#[utoipa::path(
    put, path = "/api/v1/plugins/{publisher}/{name}/rollout", operation_id = "begin-rollout", tag = "plugins",
    params(("publisher" = String, Path, description = "The publisher of the plugin."), ("name" = String, Path, description = "The name of the plugin.")),
    request_body = RolloutBody, responses((status = 200, description = "The rollout.", body = RolloutView)),
)]
async fn begin(
    State(app): State<App>,
    Path((publisher, name)): Path<(String, String)>,
    _: Query<Nothing>,
    conditions: Conditions,
    Extension(caller): Extension<Caller>,
    By(author): By,
    Typed(body): Typed<RolloutBody>,
) -> Result<Tagged<RolloutView>, Refusal> {
    let name = full(&publisher, &name);
    let RolloutBody { rollout, expected, past_gate, anyway } = body;
    also(&caller, past_gate, Privilege::PluginConfigure)?;
    let begun = app.run_long(move |service| {
        let gatekeeping = Gatekeeping { expected: &expected, past_gate };
        let expect = believed(service, &name, &conditions)?;
        Ok(service.begin_rollout(&name, expect, &rollout, gatekeeping, anyway, &author)?)
    });
    let Decided { view, revision } = begun.await?;
    Ok(tagged(revision, view))
}

/// Returns the version that is tried, and its results so far.
#[utoipa::path(
    get, path = "/api/v1/plugins/{publisher}/{name}/rollout", operation_id = "watch-rollout", tag = "plugins",
    params(("publisher" = String, Path, description = "The publisher of the plugin."), ("name" = String, Path, description = "The name of the plugin.")),
    responses((status = 200, description = "The rollout.", body = RolloutView)),
)]
async fn watch(
    State(app): State<App>,
    Path((publisher, name)): Path<(String, String)>,
    _: Query<Nothing>,
) -> Result<Json<RolloutView>, Refusal> {
    Ok(Json(app.run(move |service| Ok(service.rollout(&full(&publisher, &name))?)).await?))
}

/// Ends the rollout: all people are answered by the version that serves.
#[utoipa::path(
    delete, path = "/api/v1/plugins/{publisher}/{name}/rollout", operation_id = "end-rollout", tag = "plugins",
    params(("publisher" = String, Path, description = "The publisher of the plugin."), ("name" = String, Path, description = "The name of the plugin.")),
    responses((status = 200, description = "The plugin.", body = PluginView)),
)]
async fn end(
    State(app): State<App>,
    Path((publisher, name)): Path<(String, String)>,
    _: Query<Nothing>,
    conditions: Conditions,
    By(author): By,
) -> Result<Shown, Refusal> {
    let name = full(&publisher, &name);
    let end = app.run(move |service| {
        let expect = believed(service, &name, &conditions)?;
        Ok(service.end_rollout(&name, expect, &author)?)
    });
    Ok(shown(end.await?))
}
