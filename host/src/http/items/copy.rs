//! Copies of profiles, those that came with the product included.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::{Item, Kind, Localized, Name, Profile};
use crate::service::{Error, Service};
use crate::store;
use crate::store::Expect;

use super::view::View;
use crate::http::body::Typed;
use crate::http::etag::Conditions;
use crate::http::items;
use crate::http::problem::Refusal;
use crate::http::query::{By, Nothing, Query};
use crate::http::state::App;

type Shown = View<Profile>;

pub(in crate::http) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(copy))
}

/// The names of the copy.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CopyRequest {
    /// The unique name of the copy.
    #[schema(value_type = String, min_length = 5, max_length = 128)]
    unique_name: Name<Profile>,
    /// The name of the copy in lists.
    name: Localized<100>,
}

/// Copies a profile. People, rank, roles and the default stay with the original. `If-Match` speaks of the original.
#[utoipa::path(
    post, path = "/api/v1/profiles/{uniqueName}/copy", operation_id = "copy-profile", tag = "profiles",
    params(("uniqueName" = String, Path, description = "The profile to copy.")), request_body = CopyRequest,
    responses((status = 201, description = "The copy.", body = Shown)),
)]
async fn copy(
    State(app): State<App>,
    Path(original): Path<String>,
    _: Query<Nothing>,
    conditions: Conditions,
    By(author): By,
    Typed(wanted): Typed<CopyRequest>,
) -> Result<Response, Refusal> {
    let copy = app.run(move |service| {
        let copy = copied(service, &original, wanted.name, &conditions)?;
        let name = wanted.unique_name.as_str();
        items::commit(service, name, copy.into(), Expect::Absent, &author).map_err(|error| match error {
            Error::Store(store::Error::Exists { kind, name }) => {
                let detail = format!("{kind} `{name}` exists already: choose another unique name for the copy");
                Refusal::new(StatusCode::CONFLICT, "exists", detail)
            }
            error => error.into(),
        })
    });
    Ok(copy.await?.into_response())
}

/// The profile under another name, without what ties it to where it came from.
fn copied(
    service: &Service,
    original: &str,
    name: Localized<100>,
    conditions: &Conditions,
) -> Result<Profile, Refusal> {
    let stored = items::get(service.store(), Kind::Profile, original)?;
    // `If-None-Match: *` asks for nothing more: a copy never replaces anything.
    conditions.expect(Kind::Profile, original, Some(stored.meta.revision))?;
    let mut copy = Profile::from_any(&stored.item).cloned().ok_or_else(Refusal::internal)?;
    copy.name = name;
    copy.source = None;
    copy.productivity_pane.unique_name = None;
    for placed in &mut copy.productivity_pane.tools {
        placed.unique_name = None;
    }
    Ok(copy)
}
