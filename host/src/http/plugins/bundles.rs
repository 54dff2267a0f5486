//! Offline bundles: plugins out of this environment, and into it, without a network.

use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::{Extension, Json};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::PluginVersion;
use crate::domain::access::{Caller, Privilege};
use crate::domain::plugin::InvalidVersion;
use crate::service::{Activation, BundleOptions, InstalledBundle};

use crate::http::body::Package;
use crate::http::etag::Unconditional;
use crate::http::items::{REVISION, number};
use crate::http::privileges::also;
use crate::http::problem::Refusal;
use crate::http::query::{By, Query};
use crate::http::state::App;

pub(in crate::http) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(one)).routes(routes!(several, install))
}

/// The version that the bundle holds.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct VersionQuery {
    /// The version; without it the one that serves.
    version: Option<String>,
}

/// The plugins that the bundle holds.
#[derive(Debug, Default, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct PluginsQuery {
    /// A plugin, as `publisher/name`; may be given several times. Without it, all that did not come with the product.
    #[param(required = false)]
    plugin: Vec<String>,
}

/// How to install a bundle.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct InstallQuery {
    /// Whether what served where the bundle comes from serves as soon as it is here; it does without this.
    #[param(required = false)]
    activate: Option<bool>,
    /// Whether a version may have another major version number than the one that serves.
    #[serde(default)]
    #[param(required = false)]
    accept_major: bool,
    /// Whether a version serves whatever it would change of the recorded answers. Needs `plugin.configure`.
    #[serde(default)]
    #[param(required = false)]
    past_gate: bool,
    /// Whether a version serves although existing settings do not fit it.
    #[serde(default)]
    #[param(required = false)]
    anyway: bool,
    /// Whether the answer only reports what the bundle would do, and nothing is installed.
    #[serde(default)]
    #[param(required = false)]
    dry_run: bool,
}

const ZIP: HeaderValue = HeaderValue::from_static("application/zip");
const FILE: HeaderValue = HeaderValue::from_static("attachment; filename=\"plugins.zip\"");

type Zip = ([(HeaderName, HeaderValue); 2], Vec<u8>);

fn zipped(zip: Vec<u8>) -> Zip {
    ([(header::CONTENT_TYPE, ZIP), (header::CONTENT_DISPOSITION, FILE)], zip)
}

/// Returns a plugin as a bundle, for an environment without a network.
#[utoipa::path(
    get, path = "/api/v1/plugins/{publisher}/{name}/bundle", operation_id = "bundle-plugin", tag = "plugins",
    params(
        ("publisher" = String, Path, description = "The publisher of the plugin."), ("name" = String, Path, description = "The name of the plugin."),
        VersionQuery,
    ),
    responses((
        status = 200, description = "A zip file, the same bytes for the same plugin.", body = String,
        content_type = "application/zip",
    )),
)]
async fn one(
    State(app): State<App>,
    Path((publisher, name)): Path<(String, String)>,
    Query(query): Query<VersionQuery>,
) -> Result<Zip, Refusal> {
    let version: Option<PluginVersion> = query.version.map(|version| version.parse()).transpose().map_err(|error| {
        let error: InvalidVersion = error;
        Refusal::query(error.to_string())
    })?;
    let name = format!("{publisher}/{name}");
    let bundle = app.run_long(move |service| {
        Ok(match version {
            Some(version) => service.bundle_version(&name, version)?,
            None => service.bundle(&[name])?,
        })
    });
    Ok(zipped(bundle.await?))
}

/// Returns plugins as one bundle, each in the version that serves, for an environment without a network.
#[utoipa::path(
    get, path = "/api/v1/plugin-bundle", operation_id = "bundle-plugins", tag = "plugins", params(PluginsQuery),
    responses((
        status = 200, description = "A zip file, the same bytes for the same plugins.", body = String,
        content_type = "application/zip",
    )),
)]
async fn several(State(app): State<App>, RawQuery(query): RawQuery) -> Result<Zip, Refusal> {
    let PluginsQuery { plugin } = plugins(query.as_deref().unwrap_or_default())?;
    Ok(zipped(app.run_long(move |service| Ok(service.bundle(&plugin)?)).await?))
}

/// Installs every plugin of a bundle as one revision, or none. Each component is looked at like one that is uploaded.
/// To take over what was decided about steps needs `plugin.configure`, too.
#[utoipa::path(
    post, path = "/api/v1/plugin-bundle", operation_id = "install-plugin-bundle", tag = "plugins", params(InstallQuery),
    request_body(content = String, content_type = "application/zip", description = "The bundle, at most 64 MiB."),
    responses((status = 200, description = "The result for each component.", body = InstalledBundle)),
)]
async fn install(
    State(app): State<App>,
    Query(query): Query<InstallQuery>,
    _: Unconditional,
    Extension(caller): Extension<Caller>,
    By(author): By,
    Package(zip): Package,
) -> Result<([(HeaderName, HeaderValue); 1], Json<InstalledBundle>), Refusal> {
    let InstallQuery { activate, accept_major, past_gate, anyway, dry_run } = query;
    also(&caller, past_gate, Privilege::PluginConfigure)?;
    let activation = Activation { activate: activate.unwrap_or(true), accept_major, past_gate, anyway };
    let options = BundleOptions { activation, dry_run };
    let install = app.run_long(move |service| {
        let installed = service.install_bundle(&caller, &zip, options, &author)?;
        Ok((service.store().newest()?, installed))
    });
    let (newest, installed) = install.await?;
    Ok(([(REVISION, number(newest))], Json(installed)))
}

/// Reads a query in which one parameter may occur several times.
fn plugins(query: &str) -> Result<PluginsQuery, Refusal> {
    let invalid = |reason: &str| Refusal::query(format!("the query `{query}` is not valid: {reason}"));
    let mut plugins = PluginsQuery::default();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if key != "plugin" {
            return Err(invalid(&format!("unknown field `{key}`, expected `plugin`")));
        }
        // Names of plugins have neither blanks nor `+`.
        let value = percent_encoding::percent_decode_str(value).decode_utf8();
        plugins.plugin.push(value.map_err(|_| invalid("a plugin is not UTF-8"))?.into_owned());
    }
    Ok(plugins)
}
