//! The health checks: whether the server runs, and whether it can answer.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::Revision;
use crate::resolve::NO_RULE;

use super::problem::{ProblemDetails, Refusal};
use super::state::App;

/// The server runs.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Alive {
    /// Always `ok`.
    #[schema(value_type = String)]
    status: &'static str,
}

/// The server can answer.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Ready {
    /// Always `ok`.
    #[schema(value_type = String)]
    status: &'static str,
    /// The newest revision.
    revision: Revision,
    /// Conditions that do not keep the server from answering, and need an administrator.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    warnings: Vec<HealthWarning>,
}

/// A condition that needs an administrator. The warning names no plugin or tool, because the address needs no token.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HealthWarning {
    /// `no-rule`: pane tools are hidden because the rule or the step that decides about them is absent. `GET
    /// /api/v1/plugins` names them, and says why.
    #[schema(value_type = String)]
    code: &'static str,
    /// The number of pane tools that are affected.
    count: usize,
}

/// Returns 200 as long as the server runs.
#[utoipa::path(get, path = "/health/live", tag = "operation", security(()), responses(
    (status = 200, description = "The server runs.", body = Alive),
))]
pub(super) async fn live() -> Json<Alive> {
    Json(Alive { status: "ok" })
}

/// Returns 200 if the server can read its database. Refused with 503 if it cannot.
#[utoipa::path(get, path = "/health/ready", tag = "operation", security(()), responses(
    (status = 200, description = "The server can answer.", body = Ready),
    (status = 503, description = "The server cannot answer now.", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub(super) async fn ready(State(app): State<App>) -> Result<Json<Ready>, Refusal> {
    let newest = app.look_ups.newest.ask(()).await.flatten();
    let (revision, hidden) = newest.map_err(|_| {
        let detail = "the database cannot be read: look at the log, this answers again when it can";
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "not-ready", detail)
    })?;
    let warnings = (hidden > 0).then_some(HealthWarning { code: NO_RULE, count: hidden }).into_iter().collect();
    Ok(Json(Ready { status: "ok", revision, warnings }))
}
