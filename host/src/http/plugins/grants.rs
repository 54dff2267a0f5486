//! Grants: returns, replaces and takes back what a version of a plugin may reach outside of the host.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::{Capabilities, ConnectorName, HttpHost, SecretName};
use crate::service::{Decided, Grant, GrantView};

use super::{Tagged, believed, full, parse, tagged};
use crate::http::body::Typed;
use crate::http::etag::Conditions;
use crate::http::problem::Refusal;
use crate::http::query::{By, Nothing, Query};
use crate::http::state::App;

pub(in crate::http) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show, put, take))
}

/// What to grant: all that is asked for, or exactly what is named.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = GrantBody)]
struct Body {
    /// Everything that the version asks for.
    all: bool,
    /// Connectors through which it looks up business records.
    #[schema(value_type = Vec<ConnectorName>)]
    records: Vec<String>,
    /// Connectors through which it searches for articles.
    #[schema(value_type = Vec<ConnectorName>)]
    knowledge: Vec<String>,
    /// Hosts it sends requests to.
    #[schema(value_type = Vec<HttpHost>)]
    http: Vec<String>,
    /// Secrets it puts into those requests.
    #[schema(value_type = Vec<SecretName>)]
    secrets: Vec<String>,
}

impl Body {
    fn grant(self) -> Result<Grant, Refusal> {
        fn parsed<T: FromStr<Err: Display> + Ord>(attribute: &str, names: Vec<String>) -> Result<BTreeSet<T>, Refusal> {
            let parse = |(at, name): (usize, String)| {
                name.parse().map_err(|error: T::Err| Refusal::request(&format!("{attribute}.{at}"), error.to_string()))
            };
            names.into_iter().enumerate().map(parse).collect()
        }
        let Self { all, records, knowledge, http, secrets } = self;
        let named = Capabilities {
            records: parsed("records", records)?,
            knowledge: parsed("knowledge", knowledge)?,
            http: parsed("http", http)?,
            secrets: parsed("secrets", secrets)?,
        };
        match all {
            true if named.is_empty() => Ok(Grant::All),
            true => {
                Err(Refusal::request("all", "`all` leaves nothing to name: give it alone, or name what is granted"))
            }
            false => Ok(Grant::Only(named)),
        }
    }
}

/// Returns what a version asks to reach outside of the host, what it was granted, and what it lacks.
#[utoipa::path(
    get, path = "/api/v1/plugins/{publisher}/{name}/versions/{version}/grant", operation_id = "get-plugin-grant", tag = "plugins",
    params(
        ("publisher" = String, Path, description = "The publisher of the plugin."), ("name" = String, Path, description = "The name of the plugin."),
        ("version" = String, Path, description = "The version."),
    ),
    responses((status = 200, description = "The request of the version, and its grant.", body = GrantView)),
)]
async fn show(
    State(app): State<App>,
    Path((publisher, name, version)): Path<(String, String, String)>,
    _: Query<Nothing>,
) -> Result<Json<GrantView>, Refusal> {
    let (name, version) = (full(&publisher, &name), parse(&version)?);
    Ok(Json(app.run(move |service| Ok(service.grant(&name, version)?)).await?))
}

/// Grants a version some of what it asks for, in place of what it was granted before. An empty body grants nothing,
/// which is a decision, too: the version can be activated then, and every request of it to the outside is refused.
/// Another build has no grant.
#[utoipa::path(
    put, path = "/api/v1/plugins/{publisher}/{name}/versions/{version}/grant", operation_id = "put-plugin-grant", tag = "plugins",
    params(
        ("publisher" = String, Path, description = "The publisher of the plugin."), ("name" = String, Path, description = "The name of the plugin."),
        ("version" = String, Path, description = "The version."),
    ),
    request_body = Body, responses((status = 200, description = "The new grant of the version.", body = GrantView)),
)]
async fn put(
    State(app): State<App>,
    Path((publisher, name, version)): Path<(String, String, String)>,
    _: Query<Nothing>,
    conditions: Conditions,
    By(author): By,
    Typed(body): Typed<Body>,
) -> Result<Tagged<GrantView>, Refusal> {
    let (name, version, grant) = (full(&publisher, &name), parse(&version)?, body.grant()?);
    let decide = app.run(move |service| {
        let expect = believed(service, &name, &conditions)?;
        Ok(service.grant_plugin(&name, expect, version, &grant, &author)?)
    });
    let Decided { view, revision } = decide.await?;
    Ok(tagged(revision, view))
}

/// Takes back what a version was granted. If it serves it goes on, and every request of it to the outside is refused.
#[utoipa::path(
    delete, path = "/api/v1/plugins/{publisher}/{name}/versions/{version}/grant", operation_id = "delete-plugin-grant", tag = "plugins",
    params(
        ("publisher" = String, Path, description = "The publisher of the plugin."), ("name" = String, Path, description = "The name of the plugin."),
        ("version" = String, Path, description = "The version."),
    ),
    responses((status = 200, description = "The request of the version, which has no grant any more.", body = GrantView)),
)]
async fn take(
    State(app): State<App>,
    Path((publisher, name, version)): Path<(String, String, String)>,
    _: Query<Nothing>,
    conditions: Conditions,
    By(author): By,
) -> Result<Tagged<GrantView>, Refusal> {
    let (name, version) = (full(&publisher, &name), parse(&version)?);
    let take = app.run(move |service| {
        let expect = believed(service, &name, &conditions)?;
        Ok(service.take_grant(&name, expect, version, &author)?)
    });
    let Decided { view, revision } = take.await?;
    Ok(tagged(revision, view))
}
