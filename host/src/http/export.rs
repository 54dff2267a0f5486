//! Exports: the custom configuration as a solution, for another environment or for review.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, header};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::access::{Caller, Privilege};
use crate::export::{Export, Options};

use super::items::{REVISION, number};
use super::problem::Refusal;
use super::query::Query;
use super::state::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(export))
}

/// The options of an export.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ExportQuery {
    /// The unique name of the solution; `loadout_export` without it.
    #[param(max_length = 65)]
    name: Option<String>,
    /// The version of the solution; `1.0.0.0` without it.
    version: Option<String>,
    /// Whether direct assignments travel, too, by login; needs `people.read`.
    #[serde(default)]
    #[param(required = false)]
    with_assignments: bool,
}

const ZIP: HeaderValue = HeaderValue::from_static("application/zip");

/// Returns the custom configuration as a solution. Importing it into another environment makes the same configuration
/// there.
#[utoipa::path(
    get, path = "/api/v1/export", operation_id = "export", tag = "imports", params(ExportQuery),
    responses((
        status = 200, description = "A zip file, the same bytes for the same configuration.", body = String,
        content_type = "application/zip",
    )),
)]
async fn export(
    State(app): State<App>,
    Query(query): Query<ExportQuery>,
    Extension(caller): Extension<Caller>,
) -> Result<([(HeaderName, HeaderValue); 3], Vec<u8>), Refusal> {
    if query.with_assignments && !caller.has(Privilege::PeopleRead) {
        return Err(Refusal::forbidden(caller.name(), Privilege::PeopleRead));
    }
    let (name, version) = (query.name.as_deref(), query.version.as_deref());
    let options = Options::new(name.unwrap_or(Options::NAME), version.unwrap_or(Options::VERSION));
    let mut options = options.map_err(|error| Refusal::query(error.to_string()))?;
    options.with_assignments = query.with_assignments;
    let file = format!("attachment; filename=\"{}.zip\"", options.name());
    // The name of a solution is letters, digits and `_`, which are always a header.
    let file = HeaderValue::from_str(&file).unwrap_or_else(|_| HeaderValue::from_static("attachment"));
    let Export { revision, zip, .. } = app.run_long(move |service| Ok(service.export(&options)?)).await?;
    Ok(([(header::CONTENT_TYPE, ZIP), (header::CONTENT_DISPOSITION, file), (REVISION, number(revision))], zip))
}
