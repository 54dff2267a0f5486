//! The log of plugin calls: lists the records, and returns one with its whole content.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::trace::{CallTrace, Outcome, TraceId};
use crate::store::TraceFilter;

use crate::http::body::number::Number;
use crate::http::page;
use crate::http::page::Page;
use crate::http::problem::Refusal;
use crate::http::query::{Nothing, Query};
use crate::http::state::App;

pub(in crate::http) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(read))
}

/// Which records.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct TracesQuery {
    /// Records on the page, 1 to 500; 50 without it.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
    /// The record after which the page begins.
    #[param(value_type = Option<String>)]
    after: Option<TraceId>,
    /// The plugin that was called, as `publisher/name`.
    plugin: Option<String>,
    /// The version of the plugin.
    version: Option<String>,
    /// The outcome of the call.
    #[param(inline)]
    outcome: Option<Outcome>,
    /// The message of the call, such as `tool.evaluate`.
    message: Option<String>,
    /// The resource of the call: a tool kind, a table or a collection.
    resource: Option<String>,
    /// The step as which the plugin was called.
    step: Option<String>,
    /// The request that caused the call: the `x-request-id` of its answer.
    request: Option<String>,
    /// The decision for which the call was made: the `decisionId` of an experience.
    decision: Option<String>,
    /// The time at or after which the call began.
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<jiff::Timestamp>,
    /// The time before which the call began.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<jiff::Timestamp>,
    /// The number of milliseconds that the call took longer than.
    #[param(value_type = Option<u64>)]
    slower_than: Option<Number>,
}

impl TracesQuery {
    fn filter(&self) -> TraceFilter {
        TraceFilter {
            plugin: self.plugin.clone(),
            version: self.version.clone(),
            outcome: self.outcome,
            message: self.message.clone(),
            resource: self.resource.clone(),
            step: self.step.clone(),
            request: self.request.clone(),
            decision: self.decision.clone(),
            since: self.since,
            until: self.until,
            slower_than: self.slower_than.map(|Number(millis)| millis.saturating_mul(1_000).min(Number::MAX)),
        }
    }

    /// The address of the page behind `last`.
    fn next(&self, last: TraceId) -> String {
        let (limit, after) = (self.limit.map(|limit| limit.to_string()), last.to_string());
        let [since, until] = [self.since, self.until].map(|at| at.map(|at| at.to_string()));
        let slower_than = self.slower_than.map(|Number(millis)| millis.to_string());
        let query = [
            ("limit", limit.as_deref()),
            ("plugin", self.plugin.as_deref()),
            ("version", self.version.as_deref()),
            ("outcome", self.outcome.map(Outcome::as_str)),
            ("message", self.message.as_deref()),
            ("resource", self.resource.as_deref()),
            ("step", self.step.as_deref()),
            ("request", self.request.as_deref()),
            ("decision", self.decision.as_deref()),
            ("since", since.as_deref()),
            ("until", until.as_deref()),
            ("slowerThan", slower_than.as_deref()),
            ("after", Some(after.as_str())),
        ];
        page::next("/api/v1/traces", &query)
    }
}

/// One page of records, the newest first.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the page in the OpenAPI document")]
struct TracePage {
    items: Vec<CallTrace>,
    next: Option<String>,
}

/// Lists calls of plugins, the newest first. What plugins wrote and where they trapped is shown by each record's own
/// address.
#[utoipa::path(
    get, path = "/api/v1/traces", operation_id = "list-traces", tag = "traces", params(TracesQuery),
    responses((status = 200, description = "One page.", body = TracePage)),
)]
async fn list(State(app): State<App>, Query(query): Query<TracesQuery>) -> Result<Response, Refusal> {
    let limit = page::limit(query.limit)?;
    let page = app.run(move |service| {
        let found = service.traces().map(|traces| traces.list(&query.filter(), query.after, limit + 1)).transpose()?;
        let mut found = found.unwrap_or_default();
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|last| query.next(last.id));
        Ok(Page { items: found.iter().map(|trace| serde_json::json!(trace)).collect(), next })
    });
    Ok(Json(page.await?).into_response())
}

/// Returns one call of a plugin, with the lines that the plugin wrote and the place where it trapped.
#[utoipa::path(
    get, path = "/api/v1/traces/{id}", operation_id = "read-trace", tag = "traces",
    params(("id" = String, Path, description = "The id of the trace.")),
    responses((status = 200, description = "The record.", body = CallTrace)),
)]
async fn read(State(app): State<App>, Path(id): Path<String>, _: Query<Nothing>) -> Result<Json<CallTrace>, Refusal> {
    let missing = |detail: String| Refusal::new(StatusCode::NOT_FOUND, "not-found", detail);
    let id: TraceId = id.parse().map_err(|error| missing(format!("{error}")))?;
    let found = app.run(move |service| {
        let found = service.traces().map(|traces| traces.one(id)).transpose()?.flatten();
        found.ok_or_else(|| missing(format!("trace `{id}` does not exist: it was never kept, or not until now")))
    });
    Ok(Json(found.await?))
}
