//! Imports: a solution exported elsewhere becomes one revision.

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue};
use axum::{Extension, Json};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::access::Caller;
use crate::import::OnConflict;
use crate::service::{ImportOptions, Imported};

use super::body::{ArchiveTurn, Package};
use super::etag::Unconditional;
use super::items::{REVISION, number};
use super::problem::Refusal;
use super::query::{By, Query};
use super::state::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(import))
}

/// The options of an import.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ImportQuery {
    /// Whether the answer only reports what the import would do, and nothing is written.
    #[serde(default)]
    #[param(required = false)]
    dry_run: bool,
    /// What becomes of the custom default profile and the settings of the environment where the archive has others than
    /// are here: those here stay (`keep`), those of the archive take their place (`take`, also without it), or nothing
    /// is imported (`fail`, 409). The report has a warning `conflict` for each.
    #[serde(default)]
    #[param(required = false, inline)]
    on_conflict: OnConflict,
}

/// Imports an exported solution. The report names the outcome of every part. Productivity tools and assignments among
/// it need `productivity.write` and `people.write`, too.
#[utoipa::path(
    post, path = "/api/v1/imports", operation_id = "import", tag = "imports", params(ImportQuery),
    request_body(content = String, content_type = "application/zip", description = "The zip file that the export made, at most 64 MiB."),
    responses((status = 200, description = "What was read, and what became of it.", body = Imported)),
)]
async fn import(
    State(app): State<App>,
    Query(query): Query<ImportQuery>,
    _: Unconditional,
    Extension(caller): Extension<Caller>,
    By(author): By,
    _: ArchiveTurn,
    Package(zip): Package,
) -> Result<([(HeaderName, HeaderValue); 1], Json<Imported>), Refusal> {
    let import = app.run_long(move |service| {
        let options = ImportOptions { dry_run: query.dry_run, on_conflict: query.on_conflict };
        let imported = service.import_as(&caller, &zip, &options, &author)?;
        let newest = if query.dry_run { service.store().newest()? } else { imported.revision };
        Ok((newest, imported))
    });
    let (newest, imported) = import.await?;
    Ok(([(REVISION, number(newest))], Json(imported)))
}
