//! The history: lists revisions with their authors, times, reasons and changes.

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::Revision;
use crate::domain::access::{Caller, Privilege};
use crate::domain::revision::RevisionRecord;

use super::body::number::Number;
use super::page::{self, Filling};
use super::problem::Refusal;
use super::query::Query;
use super::state::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Which revisions.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RevisionsQuery {
    /// Revisions on the page, 1 to 500; 50 without it.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
    /// The revision before which the page begins.
    #[param(value_type = Option<u64>)]
    before: Option<Number>,
}

/// One page of revisions, the newest first.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the page in the OpenAPI document")]
struct RevisionPage {
    items: Vec<RevisionRecord>,
    next: Option<String>,
}

/// Lists revisions, the newest first, with what they changed. Changes of people and of assignments need `people.read`;
/// without it, they are counted.
#[utoipa::path(
    get, path = "/api/v1/revisions", operation_id = "list-revisions", tag = "history", params(RevisionsQuery),
    responses((status = 200, description = "One page.", body = RevisionPage)),
)]
async fn list(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<RevisionsQuery>,
) -> Result<Response, Refusal> {
    let limit = page::limit(query.limit)?;
    let reads_people = caller.has(Privilege::PeopleRead);
    let page = app.run(move |service| {
        let (mut page, mut last, mut more) = (Filling::new(limit), None, false);
        // Each is written down before the next is read.
        service.store().visit_revisions(
            query.before.map(|Number(before)| Revision(before)),
            limit + 1,
            |mut record| {
                if !reads_people {
                    record.leave_people_out();
                }
                more = !page.add(&serde_json::json!(record));
                last = Some(record.revision).filter(|_| !more).or(last);
                !more
            },
        )?;
        let next = last.filter(|_| more).map(|last| {
            let (size, before) = (query.limit.map(|limit| limit.to_string()), last.to_string());
            page::next("/api/v1/revisions", &[("limit", size.as_deref()), ("before", Some(&before))])
        });
        Ok(page.finish(next.as_deref()))
    });
    page.await
}
