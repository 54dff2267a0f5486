//! How often the calls of a plugin ended how, and what they used: exact, and current within seconds.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::store::CallStatistics;

use crate::http::problem::Refusal;
use crate::http::query::Query;
use crate::http::state::App;

/// Hours that are shown if the caller names no number.
const HOURS: u32 = 24;
/// Most hours that are shown: a year.
const HOURS_MAX: u32 = 8_784;

pub(in crate::http) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(read))
}

/// How far back.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct StatisticsQuery {
    /// Hours that are shown, the current one included, 1 to 8784; 24 without it.
    #[param(minimum = 1, maximum = 8784)]
    hours: Option<u32>,
}

/// The calls of one plugin together.
#[derive(Debug, Serialize, ToSchema)]
struct PluginStatistics {
    /// The plugin, as `publisher/name`.
    plugin: String,
    /// When this server began to count.
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<jiff::Timestamp>,
    /// By version and step.
    items: Vec<CallStatistics>,
}

/// Counts the calls of a plugin: by outcome, with histograms of time and memory, since this server started and hour by
/// hour.
#[utoipa::path(
    get, path = "/api/v1/plugins/{publisher}/{name}/statistics", operation_id = "read-plugin-statistics", tag = "plugins",
    params(
        ("publisher" = String, Path, description = "The publisher of the plugin."),
        ("name" = String, Path, description = "The name of the plugin."),
        StatisticsQuery,
    ),
    responses((status = 200, description = "The counts.", body = PluginStatistics)),
)]
async fn read(
    State(app): State<App>,
    Path((publisher, name)): Path<(String, String)>,
    Query(query): Query<StatisticsQuery>,
) -> Result<Json<PluginStatistics>, Refusal> {
    let hours = query.hours.unwrap_or(HOURS);
    if !(1..=HOURS_MAX).contains(&hours) {
        return Err(Refusal::query(format!("`hours` is {hours}: ask for 1 to {HOURS_MAX}")));
    }
    let plugin = format!("{publisher}/{name}");
    let counted = app.run(move |service| {
        let items = service.traces().map(|traces| traces.statistics(&plugin, hours)).transpose()?.unwrap_or_default();
        if items.is_empty() && !service.has_plugin(&plugin)? {
            let detail =
                format!("plugin `{plugin}` is not here, and was never asked: `/api/v1/plugins` lists what there is");
            return Err(Refusal::new(StatusCode::NOT_FOUND, "not-found", detail));
        }
        Ok(PluginStatistics { plugin, since: service.traces().map(|traces| traces.since()), items })
    });
    Ok(Json(counted.await?))
}
