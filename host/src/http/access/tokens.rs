//! Named tokens: makes, lists, rotates and revokes them.
//!
//! A secret is told in one answer and never again. A caller that lacks a privilege cannot make, rotate or revoke a
//! token that has it.

use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::access::{AccessToken, Caller, NewToken, Roles, Secret, Standing};
use crate::service::Service;

use crate::http::body::Typed;
use crate::http::etag::Unconditional;
use crate::http::page;
use crate::http::problem::Refusal;
use crate::http::query::{Nothing, Query};
use crate::http::state::App;

pub(in crate::http) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(read, revoke)).routes(routes!(rotate))
}

/// A token as the API shows it.
#[derive(Debug, Serialize, ToSchema)]
struct Token {
    #[serde(flatten)]
    token: AccessToken,
    /// Whether it serves.
    standing: Standing,
}

impl From<AccessToken> for Token {
    fn from(token: AccessToken) -> Self {
        let standing = token.standing(Timestamp::now());
        Self { token, standing }
    }
}

/// Every token.
#[derive(Debug, Serialize, ToSchema)]
struct TokenList {
    /// The tokens, sorted by name, including those that serve no more.
    items: Vec<Token>,
}

/// A token with its secret.
#[derive(Serialize, ToSchema)]
struct ToldToken {
    #[serde(flatten)]
    token: Token,
    /// What its holder sends as `Authorization: Bearer …`. No other answer holds the secret, and it is never told
    /// again.
    secret: String,
}

/// No cache keeps an answer with a secret.
const NO_STORE: (HeaderName, HeaderValue) = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));

fn told((token, secret): (AccessToken, Secret)) -> Json<ToldToken> {
    Json(ToldToken { token: token.into(), secret: secret.reveal().to_owned() })
}

/// Refuses a caller that lacks a privilege of `roles`.
fn within(caller: &Caller, roles: &Roles) -> Result<(), Refusal> {
    caller.lacks(roles).map_or(Ok(()), |privilege| Err(Refusal::forbidden(caller.name(), privilege)))
}

/// The token called `name`, if it is no more than the caller is.
fn managed(service: &Service, caller: &Caller, name: &str) -> Result<AccessToken, Refusal> {
    let token = service.store().token(name)?;
    within(caller, &token.roles)?;
    Ok(token)
}

/// Returns all tokens, without their secrets.
#[utoipa::path(
    get, path = "/api/v1/tokens", operation_id = "list-tokens", tag = "access",
    responses((status = 200, description = "Every token.", body = TokenList)),
)]
async fn list(State(app): State<App>, _: Query<Nothing>) -> Result<Json<TokenList>, Refusal> {
    let tokens = app.run(|service| Ok(service.store().tokens()?)).await?;
    Ok(Json(TokenList { items: tokens.into_iter().map(Token::from).collect() }))
}

/// Makes a token. The answer holds its secret, which is told this once.
#[utoipa::path(
    post, path = "/api/v1/tokens", operation_id = "create-token", tag = "access", request_body = NewToken,
    responses((status = 201, description = "The token with its secret.", body = ToldToken)),
)]
async fn create(
    State(app): State<App>,
    _: Query<Nothing>,
    _: Unconditional,
    Extension(caller): Extension<Caller>,
    Typed(new): Typed<NewToken>,
) -> Result<Response, Refusal> {
    let made = app.run(move |service| {
        within(&caller, &new.roles)?;
        Ok(service.store().create_token(&new, caller.name())?)
    });
    let made = made.await?;
    let location = format!("/api/v1/tokens/{}", page::escaped(made.0.name.as_str()));
    Ok((StatusCode::CREATED, [NO_STORE], [(header::LOCATION, location)], told(made)).into_response())
}

/// Returns a token, without its secret.
#[utoipa::path(
    get, path = "/api/v1/tokens/{name}", operation_id = "get-token", tag = "access",
    params(("name" = String, Path, description = "The unique name of the token.")),
    responses((status = 200, description = "The token.", body = Token)),
)]
async fn read(State(app): State<App>, Path(name): Path<String>, _: Query<Nothing>) -> Result<Json<Token>, Refusal> {
    Ok(Json(app.run(move |service| Ok(service.store().token(&name)?)).await?.into()))
}

/// Revokes a token at once and for good. Its name stays taken, so that history can be read.
#[utoipa::path(
    delete, path = "/api/v1/tokens/{name}", operation_id = "revoke-token", tag = "access",
    params(("name" = String, Path, description = "The unique name of the token.")),
    responses((status = 204, description = "The token is revoked.")),
)]
async fn revoke(
    State(app): State<App>,
    Path(name): Path<String>,
    _: Query<Nothing>,
    _: Unconditional,
    Extension(caller): Extension<Caller>,
) -> Result<StatusCode, Refusal> {
    let revoked = app.run(move |service| {
        managed(service, &caller, &name)?;
        Ok(service.store().revoke_token(&name, caller.name())?)
    });
    revoked.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a token another secret, which is told this once. The one it had serves no more from this moment on.
#[utoipa::path(
    post, path = "/api/v1/tokens/{name}/rotate", operation_id = "rotate-token", tag = "access",
    params(("name" = String, Path, description = "The unique name of the token.")),
    responses((status = 200, description = "The token with its new secret.", body = ToldToken)),
)]
async fn rotate(
    State(app): State<App>,
    Path(name): Path<String>,
    _: Query<Nothing>,
    _: Unconditional,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Refusal> {
    let rotated = app.run(move |service| {
        managed(service, &caller, &name)?;
        Ok(service.store().rotate_token(&name, caller.name())?)
    });
    Ok(([NO_STORE], told(rotated.await?)).into_response())
}
