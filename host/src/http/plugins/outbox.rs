//! The outbox: questions to asynchronous steps that wait, and those that were never answered.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::store::{EventState, OutboxEvent};

use crate::http::body::number::Number;
use crate::http::etag::Unconditional;
use crate::http::page;
use crate::http::problem::Refusal;
use crate::http::query::{By, Nothing, Query};
use crate::http::state::App;

pub(in crate::http) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, drop_all)).routes(routes!(retry)).routes(routes!(remove))
}

/// One page of questions.
#[derive(Debug, Serialize, ToSchema)]
struct OutboxPage {
    /// The oldest first.
    items: Vec<OutboxEvent>,
    /// The address of the next page; nothing after the last.
    next: Option<String>,
}

/// Which questions.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OutboxQuery {
    /// Questions on the page, 1 to 500; 50 without it.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
    /// The number of the question after which the page begins.
    #[param(value_type = Option<u64>)]
    after: Option<Number>,
    /// The state of the questions that are listed: `pending` or `dead`. Without it, both.
    #[param(inline)]
    state: Option<EventState>,
}

/// Lists questions to asynchronous steps that were not answered yet.
#[utoipa::path(
    get, path = "/api/v1/outbox", operation_id = "list-outbox", tag = "plugins", params(OutboxQuery),
    responses((status = 200, description = "One page.", body = OutboxPage)),
)]
async fn list(State(app): State<App>, Query(query): Query<OutboxQuery>) -> Result<Json<OutboxPage>, Refusal> {
    let limit = page::limit(query.limit)?;
    let (state, after) = (query.state, query.after.map_or(0, |Number(after)| after));
    let mut items = app.run(move |service| Ok(service.store().events(state, after, limit + 1)?)).await?;
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(|last| {
        let (size, last) = (query.limit.map(|limit| limit.to_string()), last.id.to_string());
        let parameters =
            [("limit", size.as_deref()), ("after", Some(&*last)), ("state", state.map(EventState::as_str))];
        page::next("/api/v1/outbox", &parameters)
    });
    Ok(Json(OutboxPage { items, next }))
}

/// Puts a question again now, with as many attempts as a new one has.
#[utoipa::path(
    post, path = "/api/v1/outbox/{id}/retry", operation_id = "retry-outbox", tag = "plugins",
    params(("id" = u64, Path, description = "The number of the question.")),
    responses((status = 200, description = "The question.", body = OutboxEvent)),
)]
async fn retry(
    State(app): State<App>,
    Path(id): Path<String>,
    _: Query<Nothing>,
    _: Unconditional,
    By(author): By,
) -> Result<Json<OutboxEvent>, Refusal> {
    let id = parse(&id)?;
    let event = app.run(move |service| Ok(service.retry_question(id, jiff::Timestamp::now(), &author)?)).await?;
    event.map(Json).ok_or_else(|| answered(id))
}

/// Drops a question: its step will not be asked.
#[utoipa::path(
    delete, path = "/api/v1/outbox/{id}", operation_id = "delete-outbox", tag = "plugins",
    params(("id" = u64, Path, description = "The number of the question.")),
    responses((status = 204, description = "The question is dropped.")),
)]
async fn remove(
    State(app): State<App>,
    Path(id): Path<String>,
    _: Query<Nothing>,
    _: Unconditional,
    By(author): By,
) -> Result<StatusCode, Refusal> {
    let id = parse(&id)?;
    let there = app.run(move |service| Ok(service.drop_question(id, &author)?)).await?;
    if there { Ok(StatusCode::NO_CONTENT) } else { Err(answered(id)) }
}

/// Of which plugin.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OfPlugin {
    /// The plugin, as `publisher/name`.
    plugin: String,
}

/// How many questions were dropped.
#[derive(Debug, Serialize, ToSchema)]
struct DroppedQuestions {
    /// The number of dropped questions.
    dropped: u64,
}

/// Drops all questions to a plugin, those that wait and those that were given up: its steps are not asked.
#[utoipa::path(
    delete, path = "/api/v1/outbox", operation_id = "drop-outbox", tag = "plugins", params(OfPlugin),
    responses((status = 200, description = "The questions are dropped.", body = DroppedQuestions)),
)]
async fn drop_all(
    State(app): State<App>,
    Query(OfPlugin { plugin }): Query<OfPlugin>,
    _: Unconditional,
    By(author): By,
) -> Result<Json<DroppedQuestions>, Refusal> {
    let dropped = app.run(move |service| Ok(service.drop_questions_of(&plugin, &author)?)).await?;
    Ok(Json(DroppedQuestions { dropped }))
}

fn answered(id: u64) -> Refusal {
    let detail = format!(
        "there is no question {id} in the outbox: it was answered, or dropped; `GET /api/v1/outbox` lists those that wait"
    );
    Refusal::new(StatusCode::NOT_FOUND, "not-found", detail)
}

fn parse(id: &str) -> Result<u64, Refusal> {
    // The numbers of rows have a sign.
    id.parse::<i64>().ok().and_then(|id| u64::try_from(id).ok()).ok_or_else(|| {
        let detail =
            format!("question `{id}` is not in the outbox: they have numbers, which `GET /api/v1/outbox` lists");
        Refusal::new(StatusCode::NOT_FOUND, "not-found", detail)
    })
}
