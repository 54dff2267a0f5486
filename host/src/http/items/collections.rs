//! The collections of the library: five operations each, described with the item's own schema.
//!
//! Adding a collection is one line below.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router, routing};
use serde::Deserialize;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::domain;
use crate::domain::Kind;
use crate::domain::access::Caller;

use super::deletion::Deletion;
use super::list;
use super::list::ListQuery;
use super::view;
use super::view::{PageOf, View};
use crate::http::body::{Json, MergePatch};
use crate::http::etag::Conditions;
use crate::http::items;
use crate::http::problem::Refusal;
use crate::http::query::{By, Nothing, Query};
use crate::http::state::App;

/// The options of a deletion.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct DeleteQuery {
    /// Whether links to the item are removed first. Without this, the deletion of an item with links is refused.
    #[serde(default)]
    #[param(required = false)]
    force: bool,
}

type Answer = Result<Response, Refusal>;

/// What answers for the collection of `kind`, whose lists know the attributes `known`.
///
/// The kind is a value and not a type, so that every collection runs the same code.
fn served(kind: Kind, known: fn() -> Vec<String>) -> Router<App> {
    let collection = format!("/api/v1/{}", kind.collection());
    let item = format!("{collection}/{{uniqueName}}");
    let listed = routing::get(move |State(app): State<App>, Query(query): Query<ListQuery>| async move {
        app.run(move |service| list::list(service, kind, &known(), &query)).await
    });
    let got = move |State(app): State<App>, Path(name): Path<String>, _: Query<Nothing>| async move {
        app.run(move |service| Ok(items::get(service.store(), kind, &name)?.shown(kind, &name))).await
    };
    let put = move |State(app): State<App>,
                    Path(name): Path<String>,
                    _: Query<Nothing>,
                    conditions: Conditions,
                    Extension(caller): Extension<Caller>,
                    By(author): By,
                    Json(body): Json| async move {
        let put = app.run(move |service| items::put_as(service, caller, kind, &name, body, &conditions, &author));
        Answer::Ok(put.await?.into_response())
    };
    let patched = move |State(app): State<App>,
                        Path(name): Path<String>,
                        _: Query<Nothing>,
                        conditions: Conditions,
                        Extension(caller): Extension<Caller>,
                        By(author): By,
                        MergePatch(body): MergePatch| async move {
        let patch = app.run(move |service| items::patch(service, &caller, kind, &name, body, &conditions, &author));
        Answer::Ok(patch.await?.into_response())
    };
    let deleted = move |State(app): State<App>,
                        Path(name): Path<String>,
                        Query(DeleteQuery { force }): Query<DeleteQuery>,
                        conditions: Conditions,
                        Extension(caller): Extension<Caller>,
                        By(author): By| async move {
        let delete = app.run(move |service| items::delete(service, &caller, kind, &name, force, &conditions, &author));
        let done = delete.await?;
        let revision = ([(items::REVISION, items::number(done.revision))], items::passed_over(&done.skipped));
        Answer::Ok(if force {
            (revision, axum::Json(Deletion::of(done))).into_response()
        } else {
            (StatusCode::NO_CONTENT, revision).into_response()
        })
    };
    let one = routing::get(got).put(put).patch(patched).delete(deleted);
    Router::new().route(&collection, listed).route(&item, one)
}

macro_rules! collections {
    ($($module:ident = $collection:literal, $item:ident;)+) => {
        /// Every collection.
        pub(in crate::http) fn routes() -> OpenApiRouter<App> {
            OpenApiRouter::new()$(
                .merge(OpenApiRouter::with_openapi($module::Described::openapi()).merge(
                    served(domain::Kind::$item, view::attributes::<domain::$item>).into()
                ))
            )+
        }

        #[cfg(test)]
        const SERVED: &[(domain::Kind, &str)] = &[$((domain::Kind::$item, $collection)),+];

        $(
            /// The five operations as the OpenAPI document has them; what they do is the same for every collection.
            mod $module {
                #![expect(dead_code, reason = "the functions are there for their descriptions")]
                use super::*;

                type Shown = View<domain::$item>;
                type List = PageOf<domain::$item>;

                #[derive(OpenApi)]
                #[openapi(paths(list, get, put, patch, delete))]
                pub(in crate::http) struct Described;

                #[utoipa::path(
                    get, path = concat!("/api/v1/", $collection), operation_id = concat!("list-", $collection),
                    tag = $collection, params(ListQuery),
                    responses((status = 200, description = "One page.", body = List)),
                )]
                fn list() {}

                #[utoipa::path(
                    get, path = concat!("/api/v1/", $collection, "/{uniqueName}"), operation_id = concat!("get-", $collection),
                    tag = $collection, params(("uniqueName" = String, Path, description = "The unique name.")),
                    responses((status = 200, description = "The item.", body = Shown)),
                )]
                fn get() {}

                #[utoipa::path(
                    put, path = concat!("/api/v1/", $collection, "/{uniqueName}"), operation_id = concat!("put-", $collection),
                    tag = $collection, params(("uniqueName" = String, Path, description = "The unique name.")), request_body = Shown,
                    responses(
                        (status = 200, description = "The item, replaced.", body = Shown),
                        (status = 201, description = "The item, created.", body = Shown),
                    ),
                )]
                fn put() {}

                #[utoipa::path(
                    patch, path = concat!("/api/v1/", $collection, "/{uniqueName}"), operation_id = concat!("patch-", $collection),
                    tag = $collection, params(("uniqueName" = String, Path, description = "The unique name.")),
                    request_body(content = serde_json::Value, content_type = "application/merge-patch+json", description = "Attributes to change; `null` removes one."),
                    responses((status = 200, description = "The item, patched.", body = Shown)),
                )]
                fn patch() {}

                #[utoipa::path(
                    delete, path = concat!("/api/v1/", $collection, "/{uniqueName}"), operation_id = concat!("delete-", $collection),
                    tag = $collection, params(("uniqueName" = String, Path, description = "The unique name."), DeleteQuery),
                    responses(
                        (status = 200, description = "The item is deleted with the links to it, because `force` is set.", body = Deletion),
                        (status = 204, description = "The item is deleted."),
                    ),
                )]
                fn delete() {}
            }
        )+
    };
}

collections! {
    profiles = "profiles", Profile;
    session_templates = "session-templates", SessionTemplate;
    application_tab_templates = "application-tab-templates", ApplicationTabTemplate;
    notification_templates = "notification-templates", NotificationTemplate;
    scripts = "scripts", Script;
    macros = "macros", Macro;
    smart_assist_configurations = "smart-assist-configurations", SmartAssistConfiguration;
    pane_tools = "pane-tools", PaneTool;
    channel_providers = "channel-providers", ChannelProvider;
    application_extensions = "application-extensions", ApplicationExtension;
    workstreams = "workstreams", Workstream;
    voice_profiles = "voice-profiles", VoiceProfile;
    queues = "queues", Queue;
    security_roles = "security-roles", SecurityRole;
    apps = "apps", App;
    users = "users", User;
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_collection_is_served_under_its_own_name() {
        let served: BTreeSet<_> = SERVED.iter().copied().collect();
        let collections = domain::Kind::ALL.iter().filter(|kind| kind.is_collection());
        assert_eq!(served, collections.map(|kind| (*kind, kind.collection())).collect());
    }
}
