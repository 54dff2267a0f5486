//! Bodies: read up to a limit, of a known type, without a key nobody knows.
//!
//! Broken JSON is a 400 with its position; JSON that is not what was asked for is a 422 with its attribute.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::problem::Refusal;
use super::state::App;

/// Most bytes of a JSON body.
const JSON_MAX: usize = 2 * 1024 * 1024;
/// Most bytes of a package.
const PACKAGE_MAX: usize = 64 * 1024 * 1024;

/// Most bytes of a component.
const COMPONENT_MAX: usize = 32 * 1024 * 1024;

/// JSON, not looked at.
pub(super) struct Json(pub(super) Value);

/// A JSON merge patch (RFC 7396), not looked at.
pub(super) struct MergePatch(pub(super) Value);

/// JSON that is a `T`.
pub(super) struct Typed<T>(pub(super) T);

/// A zip file.
pub(super) struct Package(pub(super) Bytes);

/// A component, not looked at.
pub(super) struct Component(pub(super) Bytes);

/// No archive is being read, so that it makes sense to take in another one. Stands before the [`Package`].
pub(super) struct ArchiveTurn;

impl FromRequestParts<App> for ArchiveTurn {
    type Rejection = Refusal;

    async fn from_request_parts(_: &mut Parts, app: &App) -> Result<Self, Refusal> {
        app.service.may_read_archive()?;
        Ok(Self)
    }
}

impl<S: Sync> FromRequest<S> for Json {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        parse(&read(request, &["application/json"], JSON_MAX).await?).map(Self)
    }
}

impl<S: Sync> FromRequest<S> for MergePatch {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let types = ["application/merge-patch+json", "application/json"];
        parse(&read(request, &types, JSON_MAX).await?).map(Self)
    }
}

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for Typed<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let Json(json) = Json::from_request(request, state).await?;
        serde_path_to_error::deserialize(json).map(Self).map_err(|error| {
            let path = error.path().to_string();
            Refusal::request(if path == "." { "" } else { &path }, error.into_inner().to_string())
        })
    }
}

impl<S: Sync> FromRequest<S> for Package {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        read(request, &["application/zip", "application/x-zip-compressed"], PACKAGE_MAX).await.map(Self)
    }
}

impl<S: Sync> FromRequest<S> for Component {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        read(request, &["application/wasm"], COMPONENT_MAX).await.map(Self)
    }
}

async fn read(request: Request, types: &[&str], limit: usize) -> Result<Bytes, Refusal> {
    check_type(request.headers(), types)?;
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > limit) {
        return Err(too_large(limit));
    }
    axum::body::to_bytes(request.into_body(), limit).await.map_err(|error| {
        let too_long =
            std::error::Error::source(&error).is_some_and(|cause| cause.to_string().contains("length limit"));
        if too_long {
            return too_large(limit);
        }
        Refusal::new(StatusCode::BAD_REQUEST, "broken-body", "the body broke off: send it again")
    })
}

fn check_type(headers: &HeaderMap, types: &[&str]) -> Result<(), Refusal> {
    let typed = headers.get(header::CONTENT_TYPE).map_or("", |value| value.to_str().unwrap_or("?"));
    let essence = typed.split(';').next().unwrap_or_default().trim();
    if types.iter().any(|known| essence.eq_ignore_ascii_case(known)) {
        return Ok(());
    }
    let wanted = types.join("` or `");
    let found = if typed.is_empty() { "none was given".to_owned() } else { format!("`{typed}` was given") };
    let detail = format!("the content type must be `{wanted}`, {found}: set the header `Content-Type`");
    Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", detail))
}

fn too_large(limit: usize) -> Refusal {
    let detail = format!("the body is larger than {} MiB, the most this address takes: send less", limit >> 20);
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", detail)
}

fn parse(body: &[u8]) -> Result<Value, Refusal> {
    serde_json::from_slice(body).map_err(|error| {
        let detail = format!("the body is not JSON: {error}");
        Refusal::new(StatusCode::BAD_REQUEST, "malformed-json", detail)
    })
}
