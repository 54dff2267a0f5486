//! The OpenAPI document: generated from the descriptions beside the handlers, finished here.

use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Info, OpenApi, OpenApiBuilder, PathItem, Ref, RefOr, ResponseBuilder};
use utoipa::{PartialSchema, ToSchema};

use super::problem::ProblemDetails;

const TOKEN: &str = "adminToken";

/// The document before any handler is in it.
pub(super) fn empty() -> OpenApi {
    let mut info = Info::new("Loadout", env!("CARGO_PKG_VERSION"));
    info.description = Some(env!("CARGO_PKG_DESCRIPTION").to_owned());
    OpenApiBuilder::new().info(info).security(Some([SecurityRequirement::new::<_, [&str; 0], &str>(TOKEN, [])])).build()
}

/// The document with what holds for every operation: how one identifies oneself, and what failures look like.
pub(super) fn finish(mut document: OpenApi) -> OpenApi {
    let components = document.components.get_or_insert_default();
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("The admin token.")).build();
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
    for operation in guarded.flat_map(|(_, item)| operations(item)) {
        operation.responses.responses.insert("default".to_owned(), RefOr::T(failure.clone()));
    }
    document
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut utoipa::openapi::path::Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete]
        .into_iter()
        .filter_map(Option::as_mut)
}
