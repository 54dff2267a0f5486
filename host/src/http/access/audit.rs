//! The audit: which calls were denied, what happened to tokens, and what else leaves no revision.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::access::{AuditOutcome, AuditRecord};
use crate::store::AuditFilter;

use crate::http::body::number::Number;
use crate::http::page;
use crate::http::problem::Refusal;
use crate::http::query::Query;
use crate::http::state::App;

pub(in crate::http) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// The lines of the audit that are listed.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AuditQuery {
    /// Lines on the page, 1 to 500; 50 without it.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
    /// The number below which the lines of the page are.
    #[param(value_type = Option<u64>)]
    before: Option<Number>,
    /// The token that the lines are about.
    token: Option<String>,
    /// The outcome that the lines have.
    #[param(inline)]
    outcome: Option<AuditOutcome>,
}

/// One page of the audit, the newest first.
#[derive(Debug, Serialize, ToSchema)]
struct AuditPage {
    items: Vec<AuditRecord>,
    /// The address of the next page; nothing on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    next: Option<String>,
    /// Denied calls that could not be kept since this server started, because there were too many at once.
    lost: u64,
}

/// Lists denied calls, what happened to tokens, secrets written and deleted, recordings taken away, and questions of
/// the outbox put again or dropped; the newest first. The answer includes every call that was denied before the
/// question and kept.
#[utoipa::path(
    get, path = "/api/v1/audit", operation_id = "list-audit", tag = "access", params(AuditQuery),
    responses((status = 200, description = "One page.", body = AuditPage)),
)]
async fn list(State(app): State<App>, Query(query): Query<AuditQuery>) -> Result<Json<AuditPage>, Refusal> {
    let limit = page::limit(query.limit)?;
    app.ledger.settled().await;
    let filter = AuditFilter {
        before: query.before.map(|Number(before)| before),
        token: query.token.clone(),
        outcome: query.outcome,
    };
    let mut items = app.run(move |service| Ok(service.store().audit()?.read(&filter, limit + 1)?)).await?;
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(|last| {
        let (size, before) = (query.limit.map(|limit| limit.to_string()), last.id.to_string());
        let outcome = query.outcome.map(AuditOutcome::as_str);
        let query = [
            ("limit", size.as_deref()),
            ("token", query.token.as_deref()),
            ("outcome", outcome),
            ("before", Some(before.as_str())),
        ];
        page::next("/api/v1/audit", &query)
    });
    Ok(Json(AuditPage { items, next, lost: app.ledger.lost() }))
}
