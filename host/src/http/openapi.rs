//! The OpenAPI document: generated from the descriptions beside the handlers, finished here.
//!
//! What holds for all operations is said in one place each: [`shapes`] names schemas, [`requests`] tells what is sent
//! from what is shown, [`limits`] publishes the bounds of items, [`parameters`] those of addresses, [`headers`] what is
//! sent and answered beside bodies, [`answers`] lists statuses, and [`links`] leads from one operation to the next.

mod answers;
mod headers;
mod limits;
mod links;
mod parameters;
mod requests;
mod shapes;

use axum::http::Method;
use serde_json::Value;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Info, OpenApi, OpenApiBuilder, PathItem};
use utoipa::{PartialSchema, ToSchema};

use super::privileges::{self, Line, Needs};
use super::problem::ProblemDetails;

/// The name of the one security scheme.
const TOKEN: &str = "token";
/// The extension of each operation that names the privilege it needs.
const PRIVILEGE: &str = "x-loadout-privilege";

const SCHEME: &str = "The admin token, which allows everything, or the secret of a named token, whose roles say what it allows. \
    `x-loadout-privilege` beside an operation is the privilege it needs; without it, any token that serves will do. \
    `GET /api/v1/me` says what a token allows.";

const REFUSALS: &str = "How refusals are numbered: 400 for what cannot be read, such as a parameter out of its range, a filter or broken \
    JSON; 422 for a body that can be read and does not suit its schema, an archive or a component that is damaged or refused; 404 for what an \
    address or a question names and is not there; 412 for a precondition that does not hold; 409 for a request that suits all that is published, \
    and that a rule or the state of the environment speaks against. `format: loadout-filter` and `loadout-order` are texts with a grammar, which \
    a list describes beside the parameter.";

/// Returns the document before any handler is in it.
pub(super) fn empty() -> OpenApi {
    let mut info = Info::new("Loadout", env!("CARGO_PKG_VERSION"));
    info.description = Some(format!("{}\n\n{REFUSALS}", env!("CARGO_PKG_DESCRIPTION")));
    OpenApiBuilder::new().info(info).security(Some([SecurityRequirement::new::<_, [&str; 0], &str>(TOKEN, [])])).build()
}

/// Completes the document with the parts that hold for every operation: the security scheme and the form of failures.
pub(super) fn finish(mut document: OpenApi) -> Value {
    let components = document.components.get_or_insert_default();
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(SCHEME)).build();
    components.add_security_scheme(TOKEN, SecurityScheme::Http(scheme));
    let mut schemas = vec![(ProblemDetails::name().into_owned(), ProblemDetails::schema())];
    ProblemDetails::schemas(&mut schemas);
    for (name, schema) in schemas {
        components.schemas.entry(name).or_insert(schema);
    }
    let guarded = document.paths.paths.iter_mut().filter(|(path, _)| path.starts_with("/api/"));
    for (path, item) in guarded {
        for (method, operation) in operations(item) {
            if let Line::Open(Needs::The(privilege)) = privileges::of(&method, path) {
                let needed = ExtensionsBuilder::new().add(PRIVILEGE, privilege.as_str()).build();
                operation.extensions.get_or_insert_default().merge(needed);
            }
        }
    }
    // Plain data with text keys always has a JSON form.
    let mut document = serde_json::to_value(document).unwrap_or_default();
    shapes::name_all(&mut document);
    limits::publish(&mut document);
    requests::separate(&mut document);
    parameters::bound(&mut document);
    headers::publish(&mut document);
    answers::list(&mut document);
    links::add(&mut document);
    document
}

/// Returns the operations of an address, with their methods.
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
