//! Steps that take part in changes, and steps around rules: listed in the order they are asked, and decided about.

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::StepOverride;
use crate::service::{Decided, StepView};

use super::{Tagged, believed, full, tagged};
use crate::http::body::Typed;
use crate::http::etag::Conditions;
use crate::http::problem::Refusal;
use crate::http::query::{By, Nothing, Query};
use crate::http::state::App;

pub(in crate::http) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(decide))
}

/// Every step that takes part in changes, and every step around a rule.
#[derive(Debug, Serialize, ToSchema)]
struct StepList {
    /// Those of changes, then those around rules; each in the order in which they are asked.
    items: Vec<StepView>,
}

/// Lists the steps that take part in changes of configuration, then those around the rules of tools, each in the order
/// in which they are asked.
#[utoipa::path(
    get, path = "/api/v1/steps", operation_id = "list-steps", tag = "plugins",
    responses((status = 200, description = "Every step.", body = StepList)),
)]
async fn list(State(app): State<App>, _: Query<Nothing>) -> Result<Json<StepList>, Refusal> {
    Ok(Json(StepList { items: app.run(|service| Ok(service.steps()?)).await? }))
}

/// Decides about a step: whether it is asked, its rank, its configuration, what happens when it breaks. What is left
/// out is as the plugin declares it. A step can be told what it needs before it serves: that of a plugin which is only
/// installed, waits for a grant or is switched off.
#[utoipa::path(
    put, path = "/api/v1/plugins/{publisher}/{name}/steps/{step}", operation_id = "put-step", tag = "plugins",
    params(
        ("publisher" = String, Path, description = "The publisher of the plugin."), ("name" = String, Path, description = "The name of the plugin."),
        ("step" = String, Path, description = "The name of the step."),
    ),
    request_body = StepOverride, responses((status = 200, description = "The step as it is asked from now on, or would be.", body = StepView)),
)]
async fn decide(
    State(app): State<App>,
    Path((publisher, name, step)): Path<(String, String, String)>,
    _: Query<Nothing>,
    conditions: Conditions,
    By(author): By,
    Typed(wanted): Typed<StepOverride>,
) -> Result<Tagged<StepView>, Refusal> {
    let plugin = full(&publisher, &name);
    let decide = app.run(move |service| {
        let expect = believed(service, &plugin, &conditions)?;
        Ok(service.decide_about_step(&plugin, expect, &step, &wanted, &author)?)
    });
    let Decided { view, revision } = decide.await?;
    Ok(tagged(revision, view))
}
