//! Secrets: writes, lists and deletes them. No answer has the value of a secret.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::{HttpHost, SecretHosts, SecretName, SecretRecord, SecretValue};

use crate::http::body::Typed;
use crate::http::etag::Unconditional;
use crate::http::problem::Refusal;
use crate::http::query::{By, Nothing, Query};
use crate::http::state::App;

pub(in crate::http) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(put, delete))
}

/// Every secret that is there.
#[derive(Debug, Serialize, ToSchema)]
struct SecretList {
    /// By name.
    items: Vec<SecretRecord>,
}

/// A secret to be kept.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SecretBody)]
struct Body {
    /// The value of the secret. No answer ever has it.
    #[schema(value_type = String, format = Password, pattern = "^[!-~]([ -~]*[!-~])$", min_length = 8, max_length = 4096, write_only)]
    #[serde(skip_serializing)]
    value: SecretValue,
    /// The hosts that the secret is for, such as `api.contoso.com` or `api.contoso.com:8443`. It is put into no request
    /// to another host.
    #[schema(value_type = Vec<HttpHost>, min_items = 1, max_items = 16)]
    hosts: SecretHosts,
}

/// Returns the names of all secrets, with the hosts they are for, their last author and the time of the last write. No
/// answer has a value.
#[utoipa::path(
    get, path = "/api/v1/secrets", operation_id = "list-secrets", tag = "plugins",
    responses((status = 200, description = "Every secret, without its value.", body = SecretList)),
)]
async fn list(State(app): State<App>, _: Query<Nothing>) -> Result<Json<SecretList>, Refusal> {
    Ok(Json(SecretList { items: app.run(|service| Ok(service.store().secrets()?.list()?)).await? }))
}

/// Keeps a secret for the hosts it names, in place of what it was. Connectors and plugins use it by name, and only
/// there; it is no part of any revision or export. Other hosts are written together with the value, so that a caller
/// who does not know a secret cannot lead it elsewhere.
#[utoipa::path(
    put, path = "/api/v1/secrets/{name}", operation_id = "put-secret", tag = "plugins",
    params(("name" = String, Path, description = "The name of the secret.")), request_body = Body,
    responses(
        (status = 200, description = "The secret is replaced.", body = SecretRecord),
        (status = 201, description = "The secret is new.", body = SecretRecord),
    ),
)]
async fn put(
    State(app): State<App>,
    Path(name): Path<String>,
    _: Query<Nothing>,
    _: Unconditional,
    By(author): By,
    Typed(body): Typed<Body>,
) -> Result<(StatusCode, Json<SecretRecord>), Refusal> {
    let name: SecretName = parse(&name, StatusCode::UNPROCESSABLE_ENTITY, "invalid-name")?;
    app.run(move |service| {
        let (record, new) = service.put_secret(name, &body.value, body.hosts, Timestamp::now(), &author)?;
        Ok((if new { StatusCode::CREATED } else { StatusCode::OK }, Json(record)))
    })
    .await
}

/// Deletes a secret: every request that uses it is refused from now on.
#[utoipa::path(
    delete, path = "/api/v1/secrets/{name}", operation_id = "delete-secret", tag = "plugins",
    params(("name" = String, Path, description = "The name of the secret.")),
    responses((status = 204, description = "The secret is deleted.")),
)]
async fn delete(
    State(app): State<App>,
    Path(name): Path<String>,
    _: Query<Nothing>,
    _: Unconditional,
    By(author): By,
) -> Result<StatusCode, Refusal> {
    let name: SecretName = parse(&name, StatusCode::NOT_FOUND, "not-found")?;
    app.run(move |service| Ok(service.delete_secret(&name, &author)?)).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn parse(name: &str, status: StatusCode, code: &'static str) -> Result<SecretName, Refusal> {
    name.parse()
        .map_err(|error: crate::domain::capability::InvalidHandle| Refusal::new(status, code, error.to_string()))
}
