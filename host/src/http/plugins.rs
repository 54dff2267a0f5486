//! Plugins: installs, lists, shows, activates, rolls back, switches on or off and removes them.

pub(in crate::http) mod bundles;
pub(in crate::http) mod grants;
pub(in crate::http) mod outbox;
pub(in crate::http) mod recordings;
pub(in crate::http) mod rollout;
pub(in crate::http) mod secrets;
pub(in crate::http) mod statistics;
pub(in crate::http) mod steps;
pub(in crate::http) mod traces;

use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::access::{Caller, Privilege};
use crate::domain::{self, Expected, Kind, PluginVersion, Revision, ToolOverride};
use crate::service::{
    ActivatedPlugin, Activation, Gatekeeping, Installed, PluginView, RolledBackPlugin, Service, Settling,
    ToolWithoutRule,
};
use crate::store::Expect;

use super::body::{Component, Typed};
use super::etag::{self, Conditions, MoreThanTagged, Unconditional};
use super::items::{REVISION, number};
use super::privileges::also;
use super::problem::Refusal;
use super::query::{By, Nothing, Query};
use super::state::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, install))
        .routes(routes!(show, remove))
        .routes(routes!(activate))
        .routes(routes!(roll_back))
        .routes(routes!(switch))
        .routes(routes!(decide))
        .routes(routes!(download, remove_version))
}

/// All installed plugins.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PluginList {
    /// The plugins, sorted by publisher and name.
    items: Vec<PluginView>,
    /// The pane tools that are hidden because the rule or the step that decides about them is absent.
    without_rule: Vec<ToolWithoutRule>,
}

/// How to install.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct InstallQuery {
    /// Whether the version serves as soon as it is installed. The default is true.
    #[param(required = false)]
    activate: Option<bool>,
    /// Whether the version may have another major version number than the one that serves.
    #[serde(default)]
    #[param(required = false)]
    accept_major: bool,
    /// Whether the version serves whatever it would change of the recorded answers. Without this, a version of a gated
    /// plugin that changes anything is installed and does not serve. Needs `plugin.configure`.
    #[serde(default)]
    #[param(required = false)]
    past_gate: bool,
    /// Whether the version serves although existing settings do not fit it. Without this, such a version is installed
    /// and does not serve.
    #[serde(default)]
    #[param(required = false)]
    anyway: bool,
}

/// How to roll back.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RollBackQuery {
    /// Whether the previous version serves although existing settings do not fit it.
    #[serde(default)]
    #[param(required = false)]
    anyway: bool,
}

/// The version that is to serve, and how it is activated.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ActivateBody {
    /// The version, which must be installed.
    version: PluginVersion,
    /// Whether the version may have another major version number than the one that serves.
    #[serde(default)]
    accept_major: bool,
    /// The changes of recorded answers that the caller expects, if the plugin is gated.
    #[serde(default)]
    expected: Vec<Expected>,
    /// Whether the version serves whatever it would change. Needs `plugin.configure`.
    #[serde(default)]
    past_gate: bool,
    /// Whether the version serves although existing settings do not fit it.
    #[serde(default)]
    anyway: bool,
}

/// Whether a plugin is asked.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SwitchBody {
    /// `active` or `inactive`.
    state: domain::State,
    /// Whether the tools it answers for and does not decide about then are left to what else decides about them: a rule
    /// that came with the product, or the rule without its steps. Without this, they are hidden.
    #[serde(default)]
    fall_back: bool,
    /// Whether the plugin is switched on although existing settings do not fit it.
    #[serde(default)]
    anyway: bool,
}

/// How to take away.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RemoveQuery {
    /// Whether people may be shown what the plugin may have hidden. Without this, a plugin is not taken away in whose
    /// place something else would show tools. Needs `plugin.configure`.
    #[serde(default)]
    #[param(required = false)]
    fall_back: bool,
}

/// Something about a plugin, under the tag of the plugin.
pub(super) type Tagged<T> = ([(HeaderName, HeaderValue); 2], Json<T>);

pub(super) type Shown = Tagged<PluginView>;

/// The answer about a plugin that `revision` wrote.
pub(super) fn tagged<T>(revision: Revision, body: T) -> Tagged<T> {
    ([(REVISION, number(revision)), (header::ETAG, etag::of_revision(revision))], Json(body))
}

pub(super) fn shown(view: PluginView) -> Shown {
    tagged(view.revision, view)
}

/// What the author of a change of the plugin `name` believes it is. The change itself says if there is no such plugin.
pub(super) fn believed(service: &Service, name: &str, conditions: &Conditions) -> Result<Expect, Refusal> {
    let snapshot = service.store().snapshot()?;
    let current = snapshot.entry(Kind::Plugin, name).map(|entry| entry.revision);
    current.map_or(Ok(Expect::Anything), |current| conditions.expect(Kind::Plugin, name, Some(current)))
}

/// Returns the installed plugins, and those of which no version could be installed yet.
#[utoipa::path(
    get, path = "/api/v1/plugins", operation_id = "list-plugins", tag = "plugins",
    responses((status = 200, description = "Every plugin.", body = PluginList)),
)]
async fn list(State(app): State<App>, _: Query<Nothing>) -> Result<Json<PluginList>, Refusal> {
    let listed = app.run(|service| Ok((service.plugins()?, service.tools_without_rule()?)));
    let (items, without_rule) = listed.await?;
    Ok(Json(PluginList { items, without_rule }))
}

/// Installs a version of a plugin from a component that has its manifest inside. If the version is refused, the version
/// that serves goes on serving.
#[utoipa::path(
    post, path = "/api/v1/plugins", operation_id = "install-plugin", tag = "plugins", params(InstallQuery),
    request_body(content = String, content_type = "application/wasm", description = "The component, at most 32 MiB."),
    responses((
        status = 201, body = Installed,
        description = "The plugin, with the version. A version that asks to reach more outside than the one that serves does not \
                       serve before an administrator has decided about `needs`.",
    )),
)]
async fn install(
    State(app): State<App>,
    Query(query): Query<InstallQuery>,
    _: Unconditional,
    Extension(caller): Extension<Caller>,
    By(author): By,
    Component(bytes): Component,
) -> Result<Response, Refusal> {
    also(&caller, query.past_gate, Privilege::PluginConfigure)?;
    let how = Activation {
        activate: query.activate.unwrap_or(true),
        accept_major: query.accept_major,
        past_gate: query.past_gate,
        anyway: query.anyway,
    };
    let installed = app.run_long(move |service| Ok(service.install_plugin(&caller, &bytes, how, &author)?)).await?;
    let Installed { plugin, .. } = &installed;
    let address = format!("/api/v1/plugins/{}/{}", plugin.publisher, plugin.name);
    let location = HeaderValue::from_str(&address).map_err(|_| Refusal::internal())?;
    let location = [(header::LOCATION, location)];
    Ok((StatusCode::CREATED, location, tagged(plugin.revision, &installed)).into_response())
}

/// Returns a plugin with its versions, including those that could not be installed.
#[utoipa::path(
    get, path = "/api/v1/plugins/{publisher}/{name}", operation_id = "get-plugin", tag = "plugins",
    params(("publisher" = String, Path, description = "The publisher of the plugin."), ("name" = String, Path, description = "The name of the plugin.")),
    responses((status = 200, description = "The plugin.", body = PluginView)),
)]
async fn show(
    State(app): State<App>,
    Path((publisher, name)): Path<(String, String)>,
    _: Query<Nothing>,
) -> Result<(Extension<MoreThanTagged>, Shown), Refusal> {
    let plugin = app.run(move |service| Ok(service.plugin(&full(&publisher, &name))?)).await?;
    Ok((Extension(MoreThanTagged), shown(plugin)))
}

/// Removes a plugin with all its versions, the decisions about its steps, and the reasons why versions could not be
/// installed.
#[utoipa::path(
    delete, path = "/api/v1/plugins/{publisher}/{name}", operation_id = "delete-plugin", tag = "plugins",
    params(
        ("publisher" = String, Path, description = "The publisher of the plugin."), ("name" = String, Path, description = "The name of the plugin."),
        RemoveQuery,
    ),
    responses((status = 204, description = "The plugin is removed. Old revisions can still be asked.")),
)]
async fn remove(
    State(app): State<App>,
    Path((publisher, name)): Path<(String, String)>,
    Query(query): Query<RemoveQuery>,
    conditions: Conditions,
    Extension(caller): Extension<Caller>,
    By(author): By,
) -> Result<(StatusCode, [(HeaderName, HeaderValue); 1]), Refusal> {
    also(&caller, query.fall_back, Privilege::PluginConfigure)?;
    let name = full(&publisher, &name);
    let remove = app.run(move |service| {
        let expect = believed(service, &name, &conditions)?;
        Ok(service.remove_plugin(&name, expect, query.fall_back, &author)?)
    });
    let removed = remove.await?;
    Ok((StatusCode::NO_CONTENT, [(REVISION, number(removed))]))
}

/// Activates an installed version: it serves from now on. Settings that do not fit it are migrated as its manifest
/// says. Settings that still do not fit are listed, and the version does not serve without `anyway`. Profiles are
/// migrated for a caller with `configuration.write`, steps for one with `plugin.configure`.
#[utoipa::path(
    post, path = "/api/v1/plugins/{publisher}/{name}/activate", operation_id = "activate-plugin", tag = "plugins",
    params(("publisher" = String, Path, description = "The publisher of the plugin."), ("name" = String, Path, description = "The name of the plugin.")),
    request_body = ActivateBody,
    responses((status = 200, description = "The plugin, and the settings that were changed.", body = ActivatedPlugin)),
)]
async fn activate(
    State(app): State<App>,
    Path((publisher, name)): Path<(String, String)>,
    _: Query<Nothing>,
    conditions: Conditions,
    Extension(caller): Extension<Caller>,
    By(author): By,
    Typed(body): Typed<ActivateBody>,
) -> Result<Tagged<ActivatedPlugin>, Refusal> {
    let ActivateBody { version, accept_major, expected, past_gate, anyway } = body;
    also(&caller, past_gate, Privilege::PluginConfigure)?;
    let name = full(&publisher, &name);
    let activated = app.run_long(move |service| {
        let gatekeeping = Gatekeeping { expected: &expected, past_gate };
        let settling = Settling { caller: &caller, anyway };
        let expect = believed(service, &name, &conditions)?;
        Ok(service.activate_plugin(&name, expect, version, accept_major, gatekeeping, settling, &author)?)
    });
    let activated = activated.await?;
    Ok(tagged(activated.plugin.revision, activated))
}

/// Activates the version that served before. While a version is on trial, only the trial ends and nothing else changes;
/// a trial that was stopped is over, and goes with the version. `rolledBack` says which of the two was done. Settings
/// that were migrated with the version are put back, unless they were changed since.
#[utoipa::path(
    post, path = "/api/v1/plugins/{publisher}/{name}/rollback", operation_id = "roll-back-plugin", tag = "plugins",
    params(
        ("publisher" = String, Path, description = "The publisher of the plugin."), ("name" = String, Path, description = "The name of the plugin."),
        RollBackQuery,
    ),
    responses((status = 200, description = "The plugin, and what was taken back.", body = RolledBackPlugin)),
)]
async fn roll_back(
    State(app): State<App>,
    Path((publisher, name)): Path<(String, String)>,
    Query(query): Query<RollBackQuery>,
    conditions: Conditions,
    Extension(caller): Extension<Caller>,
    By(author): By,
) -> Result<Tagged<RolledBackPlugin>, Refusal> {
    let name = full(&publisher, &name);
    let back = app.run(move |service| {
        let expect = believed(service, &name, &conditions)?;
        let settling = Settling { caller: &caller, anyway: query.anyway };
        Ok(service.roll_back_plugin(&name, expect, settling, &author)?)
    });
    let back = back.await?;
    Ok(tagged(back.plugin.revision, back))
}

/// Switches a plugin on or off.
#[utoipa::path(
    put, path = "/api/v1/plugins/{publisher}/{name}/state", operation_id = "switch-plugin", tag = "plugins",
    params(("publisher" = String, Path, description = "The publisher of the plugin."), ("name" = String, Path, description = "The name of the plugin.")),
    request_body = SwitchBody,
    responses((status = 200, description = "The plugin.", body = PluginView)),
)]
async fn switch(
    State(app): State<App>,
    Path((publisher, name)): Path<(String, String)>,
    _: Query<Nothing>,
    conditions: Conditions,
    By(author): By,
    Typed(body): Typed<SwitchBody>,
) -> Result<Shown, Refusal> {
    let name = full(&publisher, &name);
    let switch = app.run(move |service| {
        let expect = believed(service, &name, &conditions)?;
        Ok(service.switch_plugin(&name, expect, body.state, body.fall_back, body.anyway, &author)?)
    });
    Ok(shown(switch.await?))
}

/// Decides what happens when the rule of a tool breaks: `abort`, `skip`, `use-default` or `use-last-good`. Values that
/// the body leaves out are as the plugin declares them.
#[utoipa::path(
    put, path = "/api/v1/plugins/{publisher}/{name}/tools/{kind}", operation_id = "put-plugin-tool", tag = "plugins",
    params(
        ("publisher" = String, Path, description = "The publisher of the plugin."), ("name" = String, Path, description = "The name of the plugin."),
        ("kind" = String, Path, description = "The tool kind."),
    ),
    request_body = ToolOverride, responses((status = 200, description = "The plugin.", body = PluginView)),
)]
async fn decide(
    State(app): State<App>,
    Path((publisher, name, kind)): Path<(String, String, String)>,
    _: Query<Nothing>,
    conditions: Conditions,
    By(author): By,
    Typed(wanted): Typed<ToolOverride>,
) -> Result<Shown, Refusal> {
    let name = full(&publisher, &name);
    let decide = app.run(move |service| {
        let expect = believed(service, &name, &conditions)?;
        Ok(service.decide_about_tool(&name, expect, &kind, &wanted, &author)?)
    });
    Ok(shown(decide.await?))
}

/// Returns the component of a version, byte by byte as it was installed.
#[utoipa::path(
    get, path = "/api/v1/plugins/{publisher}/{name}/versions/{version}", operation_id = "get-plugin-version", tag = "plugins",
    params(
        ("publisher" = String, Path, description = "The publisher of the plugin."), ("name" = String, Path, description = "The name of the plugin."),
        ("version" = String, Path, description = "The version."),
    ),
    responses((status = 200, description = "The component.", body = String, content_type = "application/wasm")),
)]
async fn download(
    State(app): State<App>,
    Path((publisher, name, version)): Path<(String, String, String)>,
    _: Query<Nothing>,
) -> Result<impl IntoResponse, Refusal> {
    let version = parse(&version)?;
    let component = app.run(move |service| Ok(service.plugin_component(&full(&publisher, &name), version)?)).await?;
    Ok(([(header::CONTENT_TYPE, "application/wasm")], component))
}

/// Removes a version that does not serve.
#[utoipa::path(
    delete, path = "/api/v1/plugins/{publisher}/{name}/versions/{version}", operation_id = "delete-plugin-version", tag = "plugins",
    params(
        ("publisher" = String, Path, description = "The publisher of the plugin."), ("name" = String, Path, description = "The name of the plugin."),
        ("version" = String, Path, description = "The version."),
    ),
    responses((status = 200, description = "The plugin.", body = PluginView)),
)]
async fn remove_version(
    State(app): State<App>,
    Path((publisher, name, version)): Path<(String, String, String)>,
    _: Query<Nothing>,
    conditions: Conditions,
    By(author): By,
) -> Result<Shown, Refusal> {
    let (name, version) = (full(&publisher, &name), parse(&version)?);
    let remove = app.run(move |service| {
        let expect = believed(service, &name, &conditions)?;
        Ok(service.remove_plugin_version(&name, expect, version, &author)?)
    });
    Ok(shown(remove.await?))
}

pub(super) fn full(publisher: &str, name: &str) -> String {
    format!("{publisher}/{name}")
}

pub(super) fn parse(version: &str) -> Result<PluginVersion, Refusal> {
    version.parse().map_err(|error: domain::plugin::InvalidVersion| {
        Refusal::new(StatusCode::NOT_FOUND, "not-found", error.to_string())
    })
}
