//! The plugins that are there.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::plugin::PluginInfo;

use super::query::{Nothing, Query};
use super::state::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Every plugin that is there.
#[derive(Debug, Serialize, ToSchema)]
struct PluginList {
    /// In the order they were loaded.
    items: Vec<Plugin>,
}

/// A plugin that decides about tools.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Plugin {
    /// Who made it.
    publisher: String,
    /// What it is called.
    name: String,
    /// Its version.
    version: String,
    /// The world it is built for.
    world: String,
    /// One sentence.
    description: String,
    /// The SHA-256 of the component, in hexadecimal.
    digest: String,
    /// The tool kinds it decides about.
    kinds: Vec<String>,
    /// The JSON Schema of its settings.
    #[schema(value_type = Option<Object>)]
    settings_schema: Option<serde_json::Map<String, serde_json::Value>>,
}

/// Lists the plugins that are there.
#[utoipa::path(
    get, path = "/api/v1/plugins", operation_id = "list-plugins", tag = "plugins",
    responses((status = 200, description = "Every plugin.", body = PluginList)),
)]
async fn list(State(app): State<App>, _: Query<Nothing>) -> Json<PluginList> {
    Json(PluginList { items: app.service.plugins().iter().cloned().map(Plugin::from).collect() })
}

impl From<PluginInfo> for Plugin {
    fn from(info: PluginInfo) -> Self {
        let PluginInfo { publisher, name, version, world, description, digest, kinds, settings_schema } = info;
        Self { publisher, name, version, world, description, digest, kinds, settings_schema }
    }
}
