//! The OpenAPI document: generated from the descriptions beside the handlers, finished here.

use axum::http::Method;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Info, OpenApi, OpenApiBuilder, PathItem, Ref, RefOr, ResponseBuilder};
use utoipa::{PartialSchema, ToSchema};

use super::privileges::{self, Line, Needs};
use super::problem::ProblemDetails;

/// The name of the one security scheme.
const TOKEN: &str = "token";
/// Beside each operation: the privilege it needs.
const PRIVILEGE: &str = "x-loadout-privilege";

const SCHEME: &str = "The admin token, which allows everything, or the secret of a named token, whose roles say what it allows. \
    `x-loadout-privilege` beside an operation is the privilege it needs; without it, any token that serves will do. \
    `GET /api/v1/me` says what a token allows.";

/// The document before any handler is in it.
pub(super) fn empty() -> OpenApi {
    let mut info = Info::new("Loadout", env!("CARGO_PKG_VERSION"));
    info.description = Some(env!("CARGO_PKG_DESCRIPTION").to_owned());
    OpenApiBuilder::new().info(info).security(Some([SecurityRequirement::new::<_, [&str; 0], &str>(TOKEN, [])])).build()
}

/// The document with what holds for every operation: how one identifies oneself, and what failures look like.
pub(super) fn finish(mut document: OpenApi) -> OpenApi {
    let components = document.components.get_or_insert_default();
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(SCHEME)).build();
    components.add_security_scheme(TOKEN, SecurityScheme::Http(scheme));
    let mut schemas = vec![(ProblemDetails::name().into_owned(), ProblemDetails::schema())];
    ProblemDetails::schemas(&mut schemas);
    for (name, schema) in schemas {
        components.schemas.entry(name).or_insert(schema);
    }
    let content = ContentBuilder::new().schema(Some(RefOr::Ref(Ref::from_schema_name(ProblemDetails::name())))).build();
    let failure =
        ResponseBuilder::new().description("What went wrong.").content("application/problem+json", content).build();
    let guarded = document.paths.paths.iter_mut().filter(|(path, _)| path.starts_with("/api/"));
    for (path, item) in guarded {
        for (method, operation) in operations(item) {
            operation.responses.responses.insert("default".to_owned(), RefOr::T(failure.clone()));
            if let Line::Open(Needs::The(privilege)) = privileges::of(&method, path) {
                let needed = ExtensionsBuilder::new().add(PRIVILEGE, privilege.as_str()).build();
                operation.extensions.get_or_insert_default().merge(needed);
            }
        }
    }
    document
}

/// The operations of an address, with their methods.
pub(super) fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let PathItem { get, put, post, patch, delete, .. } = item;
    let methods = [
        (Method::GET, get),
        (Method::PUT, put),
        (Method::POST, post),
        (Method::PATCH, patch),
        (Method::DELETE, delete),
    ];
    methods.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}
