//! Recordings: starts and stops the recording of a plugin's calls, lists, returns and deletes recordings, and replays
//! them.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::plugin::is_plugin_name;
use crate::domain::trace::TraceId;
use crate::domain::{PluginVersion, RecordedStatus, RecordingSettings};
use crate::service::{PluginView, RecordingView, ReplayView};
use crate::store::RecordingFilter;

use super::{Shown, believed, full, shown};
use crate::http::body::Typed;
use crate::http::etag::{Conditions, Unconditional};
use crate::http::page;
use crate::http::problem::Refusal;
use crate::http::query::{By, Nothing, Query};
use crate::http::state::App;

pub(in crate::http) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(record, record_no_more))
        .routes(routes!(clear))
        .routes(routes!(list))
        .routes(routes!(read, remove))
        .routes(routes!(replay))
}

/// One page of recordings.
#[derive(Debug, Serialize, ToSchema)]
struct RecordingPage {
    /// The newest first.
    items: Vec<RecordingView>,
    /// The address of the next page; nothing after the last.
    next: Option<String>,
}

/// Which recordings.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RecordingsQuery {
    /// Recordings on the page, 1 to 500; 50 without it.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
    /// The recording after which the page begins.
    #[param(value_type = Option<String>)]
    after: Option<TraceId>,
    /// The plugin whose recordings are listed, as `publisher/name`.
    plugin: Option<String>,
    /// The tool kind whose recordings are listed.
    tool: Option<String>,
    /// The profile of the people whose recordings are listed.
    profile: Option<String>,
    /// The status of the recordings that are listed.
    #[param(inline)]
    status: Option<RecordedStatus>,
}

/// Which version is asked.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ReplayQuery {
    /// The version; the one that answered then without it.
    #[param(value_type = Option<String>)]
    version: Option<PluginVersion>,
}

/// The number of recordings that were deleted.
#[derive(Debug, Serialize, ToSchema)]
struct Cleared {
    /// The number of deleted recordings.
    removed: usize,
}

/// Starts the recording of a plugin's calls. It ends at the time that the body names.
#[utoipa::path(
    put, path = "/api/v1/plugins/{publisher}/{name}/recording", operation_id = "record-plugin", tag = "recordings",
    params(("publisher" = String, Path, description = "The publisher of the plugin."), ("name" = String, Path, description = "The name of the plugin.")),
    request_body = RecordingSettings, responses((status = 200, description = "The plugin.", body = PluginView)),
)]
async fn record(
    State(app): State<App>,
    Path((publisher, name)): Path<(String, String)>,
    _: Query<Nothing>,
    conditions: Conditions,
    By(author): By,
    Typed(wanted): Typed<RecordingSettings>,
) -> Result<Shown, Refusal> {
    let (name, now) = (full(&publisher, &name), jiff::Timestamp::now());
    let record = app.run(move |service| {
        let expect = believed(service, &name, &conditions)?;
        Ok(service.record_plugin(&name, expect, Some(&wanted), now, &author)?)
    });
    Ok(shown(record.await?))
}

/// Stops the recording of a plugin's calls. Existing recordings stay until they are too old.
#[utoipa::path(
    delete, path = "/api/v1/plugins/{publisher}/{name}/recording", operation_id = "stop-recording-plugin", tag = "recordings",
    params(("publisher" = String, Path, description = "The publisher of the plugin."), ("name" = String, Path, description = "The name of the plugin.")),
    responses((status = 200, description = "The plugin.", body = PluginView)),
)]
async fn record_no_more(
    State(app): State<App>,
    Path((publisher, name)): Path<(String, String)>,
    _: Query<Nothing>,
    conditions: Conditions,
    By(author): By,
) -> Result<Shown, Refusal> {
    let (name, now) = (full(&publisher, &name), jiff::Timestamp::now());
    let stop = app.run(move |service| {
        let expect = believed(service, &name, &conditions)?;
        Ok(service.record_plugin(&name, expect, None, now, &author)?)
    });
    Ok(shown(stop.await?))
}

/// Deletes all recordings of a plugin.
#[utoipa::path(
    delete, path = "/api/v1/plugins/{publisher}/{name}/recordings", operation_id = "clear-recordings", tag = "recordings",
    params(("publisher" = String, Path, description = "The publisher of the plugin."), ("name" = String, Path, description = "The name of the plugin.")),
    responses((status = 200, description = "The recordings are deleted.", body = Cleared)),
)]
async fn clear(
    State(app): State<App>,
    Path((publisher, name)): Path<(String, String)>,
    _: Query<Nothing>,
    _: Unconditional,
    By(author): By,
) -> Result<Json<Cleared>, Refusal> {
    // A plugin that is gone may have left recordings, but none was ever called so.
    if ![&publisher, &name].into_iter().all(|part| is_plugin_name(part)) {
        let detail = format!("there is no plugin `{publisher}/{name}`: `GET /api/v1/plugins` lists them");
        return Err(Refusal::new(StatusCode::NOT_FOUND, "not-found", detail));
    }
    let removed = app.run(move |service| Ok(service.clear_recordings(&full(&publisher, &name), &author)?)).await?;
    Ok(Json(Cleared { removed }))
}

/// Returns recordings, the newest first.
#[utoipa::path(
    get, path = "/api/v1/recordings", operation_id = "list-recordings", tag = "recordings", params(RecordingsQuery),
    responses((status = 200, description = "One page.", body = RecordingPage)),
)]
async fn list(State(app): State<App>, Query(query): Query<RecordingsQuery>) -> Result<Json<RecordingPage>, Refusal> {
    let limit = page::limit(query.limit)?;
    let RecordingsQuery { limit: asked, after, plugin, tool, profile, status } = query;
    let filter = RecordingFilter { plugin, tool, profile, status };
    let by = filter.clone();
    let mut items = app.run(move |service| Ok(service.recordings(&by, after, limit + 1)?)).await?;
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(|last| {
        let (size, last) = (asked.map(|limit| limit.to_string()), last.id.to_string());
        let RecordingFilter { plugin, tool, profile, status } = &filter;
        let parameters = [
            ("limit", size.as_deref()),
            ("plugin", plugin.as_deref()),
            ("tool", tool.as_deref()),
            ("profile", profile.as_deref()),
            ("status", status.map(RecordedStatus::as_str)),
            ("after", Some(&*last)),
        ];
        page::next("/api/v1/recordings", &parameters)
    });
    Ok(Json(RecordingPage { items, next }))
}

/// Returns a whole recording: the file that `loadout plugin replay` reads.
#[utoipa::path(
    get, path = "/api/v1/recordings/{id}", operation_id = "read-recording", tag = "recordings",
    params(("id" = String, Path, description = "The id of the recording.")),
    responses((status = 200, description = "The recording.", body = Object)),
)]
async fn read(State(app): State<App>, Path(id): Path<String>, _: Query<Nothing>) -> Result<Json<Value>, Refusal> {
    let id = parse(&id)?;
    Ok(Json(app.run(move |service| Ok(serde_json::json!(service.recording(id)?))).await?))
}

/// Deletes a recording.
#[utoipa::path(
    delete, path = "/api/v1/recordings/{id}", operation_id = "delete-recording", tag = "recordings",
    params(("id" = String, Path, description = "The id of the recording.")),
    responses((status = 204, description = "The recording is deleted.")),
)]
async fn remove(
    State(app): State<App>,
    Path(id): Path<String>,
    _: Query<Nothing>,
    _: Unconditional,
    By(author): By,
) -> Result<StatusCode, Refusal> {
    let id = parse(&id)?;
    app.run(move |service| Ok(service.remove_recording(id, &author)?)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Replays a recorded call from the recording alone.
#[utoipa::path(
    post, path = "/api/v1/recordings/{id}/replay", operation_id = "replay-recording", tag = "recordings",
    params(("id" = String, Path, description = "The id of the recording."), ReplayQuery),
    responses((status = 200, description = "The result of the replay.", body = ReplayView)),
)]
async fn replay(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Query<ReplayQuery>,
) -> Result<Json<ReplayView>, Refusal> {
    let id = parse(&id)?;
    Ok(Json(app.run(move |service| Ok(service.replay_recording(id, query.version)?)).await?))
}

fn parse(id: &str) -> Result<TraceId, Refusal> {
    let missing = |_| {
        let detail = format!("recording `{id}` does not exist: the name of one has 32 hexadecimal digits");
        Refusal::new(StatusCode::NOT_FOUND, "not-found", detail)
    };
    id.parse().map_err(missing)
}
