//! Bodies: read up to a limit, at a pace, of a known type, without an unknown key.
//!
//! Broken JSON is a 400 with its position; JSON that is not what was asked for is a 422 with its attribute; a body that
//! comes too slowly is a 408, and one that is too large a 413. What is made of JSON is made in [`document`].

pub(in crate::http) mod contract;
pub(in crate::http) mod document;
pub(in crate::http) mod number;
pub(in crate::http) mod unambiguous;

use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use futures_util::StreamExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use self::contract::Sent;
use self::document::{SMALL, Weight};
use super::capacity::asked::Asked;
use super::capacity::pace::Patience;
use super::capacity::room::{Content, Held, Kept, Share};
use super::problem::Refusal;
use super::state::App;

/// Most bytes of a JSON body.
const JSON_MAX: usize = 2 * 1024 * 1024;
/// Most bytes of a question: what a session knows when it begins, and no items.
pub(super) const QUESTION_MAX: usize = 256 * 1024;
/// Most bytes of a package.
const PACKAGE_MAX: usize = 64 * 1024 * 1024;

/// Most bytes of a component.
const COMPONENT_MAX: usize = 32 * 1024 * 1024;

/// JSON, not looked at.
pub(super) struct Json(pub(super) Value);

/// A JSON merge patch (RFC 7396), not looked at.
pub(super) struct MergePatch(pub(super) Value);

/// JSON of at most `MAX` bytes that is a `T`.
pub(super) struct Typed<T, const MAX: usize = JSON_MAX>(pub(super) T);

/// A zip file.
pub(super) struct Package(pub(super) Held);

/// A component, not looked at.
pub(super) struct Component(pub(super) Held);

/// No archive is being read, so that it makes sense to take in another one. Stands before the [`Package`].
pub(super) struct ArchiveTurn;

impl FromRequestParts<App> for ArchiveTurn {
    type Rejection = Refusal;

    async fn from_request_parts(_: &mut Parts, app: &App) -> Result<Self, Refusal> {
        app.service.may_read_archive()?;
        Ok(Self)
    }
}

impl FromRequest<App> for Json {
    type Rejection = Refusal;

    async fn from_request(request: Request, app: &App) -> Result<Self, Refusal> {
        document(request, app, &["application/json"], JSON_MAX, document::value).await.map(Self)
    }
}

impl FromRequest<App> for MergePatch {
    type Rejection = Refusal;

    async fn from_request(request: Request, app: &App) -> Result<Self, Refusal> {
        let types = ["application/merge-patch+json", "application/json"];
        document(request, app, &types, JSON_MAX, document::value).await.map(Self)
    }
}

impl<T: Serialize + DeserializeOwned + Send + 'static, const MAX: usize> FromRequest<App> for Typed<T, MAX> {
    type Rejection = Refusal;

    async fn from_request(request: Request, app: &App) -> Result<Self, Refusal> {
        document(request, app, &["application/json"], MAX, document::typed).await.map(Self)
    }
}

impl FromRequest<App> for Package {
    type Rejection = Refusal;

    async fn from_request(request: Request, app: &App) -> Result<Self, Refusal> {
        package(request, app, &["application/zip", "application/x-zip-compressed"], PACKAGE_MAX).await.map(Self)
    }
}

impl FromRequest<App> for Component {
    type Rejection = Refusal;

    async fn from_request(request: Request, app: &App) -> Result<Self, Refusal> {
        package(request, app, &["application/wasm"], COMPONENT_MAX).await.map(Self)
    }
}

/// Reads a document and has it made into what it says. The request keeps the room of that until it is answered.
async fn document<T: Send + 'static>(
    request: Request,
    app: &App,
    types: &[&str],
    limit: usize,
    make: fn(&[u8]) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    check(request.headers(), types, limit)?;
    let kept = request.extensions().get::<Kept>().cloned();
    let mut share = app.rooms.share(Content::Document, Asked::now().by);
    let sent = request.extensions().get::<Sent>().cloned();
    let text = Bytes::from(read(request.into_body(), app, &mut share, limit).await?);
    if let Some(sent) = sent {
        sent.keep(&text);
    }
    let is_small = text.len() <= SMALL;
    let make = move || {
        share.grow_to(Weight::of(&text).bytes()?)?;
        Ok((make(&text)?, share))
    };
    let (made, share) = if is_small { make()? } else { app.run_body(make).await? };
    if let Some(kept) = kept {
        kept.keep(share);
    }
    Ok(made)
}

async fn package(request: Request, app: &App, types: &[&str], limit: usize) -> Result<Held, Refusal> {
    let announced = check(request.headers(), types, limit)?;
    let mut share = app.rooms.share(Content::Package, Asked::now().by);
    share.grow_to(announced.unwrap_or_default())?;
    let bytes = read(request.into_body(), app, &mut share, limit).await?;
    Ok(Held { bytes, _share: share })
}

/// Checks what the headers say of a body, and tells how many bytes they announce.
fn check(headers: &HeaderMap, types: &[&str], limit: usize) -> Result<Option<usize>, Refusal> {
    check_type(headers, types)?;
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > limit) {
        return Err(too_large(limit));
    }
    Ok(announced)
}

/// Reads a body of at most `limit` bytes, into the room of `share`. Only the time that the caller is waited for counts
/// against its patience.
async fn read(body: Body, app: &App, share: &mut Share, limit: usize) -> Result<Vec<u8>, Refusal> {
    let (mut pieces, mut read) = (body.into_data_stream(), Vec::new());
    let mut patience = Patience::new(app.pace);
    loop {
        let asked = Instant::now();
        let Ok(piece) = tokio::time::timeout(patience.left(), pieces.next()).await else { return Err(too_slow(app)) };
        let Some(piece) = piece else { return Ok(read) };
        let broken = |_| Refusal::new(StatusCode::BAD_REQUEST, "broken-body", "the body broke off: send it again");
        let piece: Bytes = piece.map_err(broken)?;
        patience.waited(asked.elapsed(), piece.len());
        if read.len() + piece.len() > limit {
            return Err(too_large(limit));
        }
        share.grow_to(read.len() + piece.len())?;
        read.extend_from_slice(&piece);
    }
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
    let limit = if limit < 1 << 20 { format!("{} KiB", limit >> 10) } else { format!("{} MiB", limit >> 20) };
    let detail = format!("the body is larger than {limit}, the most this address takes: send less");
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", detail)
}

fn too_slow(app: &App) -> Refusal {
    let (rate, grace) = (app.pace.rate.div_ceil(1024), app.pace.grace.as_secs());
    let detail = format!(
        "the body came too slowly, and nothing was done: send at least {rate} KiB a second, without a pause of more than {grace} seconds"
    );
    Refusal::new(StatusCode::REQUEST_TIMEOUT, "slow-body", detail)
}
