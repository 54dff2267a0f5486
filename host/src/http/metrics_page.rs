//! `GET /metrics`: all counters as Prometheus reads them.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use super::problem::Refusal;
use super::state::App;

/// The text format that is written.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Returns all counters in the text format that Prometheus reads.
#[utoipa::path(get, path = "/metrics", tag = "operation", security(()), responses(
    (status = 200, description = "Counters in the text format of OpenMetrics.", body = String, content_type = "application/openmetrics-text"),
))]
pub(super) async fn metrics(State(app): State<App>) -> Result<impl IntoResponse, Refusal> {
    Ok(([(header::CONTENT_TYPE, OPEN_METRICS)], app.look_ups.counters.ask(()).await??))
}
