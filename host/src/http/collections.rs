//! The collections of the library: five operations each, described with the item's own schema.
//!
//! Adding a collection is one line below.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::{self, Item};

use super::body::{Json, MergePatch};
use super::etag::Conditions;
use super::items;
use super::list::{self, ListQuery};
use super::problem::Refusal;
use super::query::{By, Nothing, Query};
use super::state::App;
use super::view::{self, PageOf, View};

/// How to delete.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DeleteQuery {
    /// Removes links to the item first, instead of refusing.
    #[serde(default)]
    #[param(required = false)]
    force: bool,
}

type Answer = Result<Response, Refusal>;

async fn list<T: Item + ToSchema>(app: App, query: ListQuery) -> Answer {
    app.run(move |service| list::list(service, T::KIND, &view::attributes::<T>(), &query)).await
}

async fn get<T: Item>(app: App, name: String) -> Answer {
    app.run(move |service| Ok(items::get(service.store(), T::KIND, &name)?.shown(T::KIND, &name))).await
}

async fn put<T: Item>(app: App, name: String, conditions: Conditions, By(author): By, Json(body): Json) -> Answer {
    let put = app.run(move |service| items::put(service, T::KIND, &name, body, &conditions, &author));
    Ok(put.await?.into_response())
}

async fn patch<T: Item>(app: App, name: String, conditions: Conditions, By(author): By, body: MergePatch) -> Answer {
    let patch = app.run(move |service| items::patch(service, T::KIND, &name, body.0, &conditions, &author));
    Ok(patch.await?.into_response())
}

async fn delete<T: Item>(app: App, name: String, force: bool, conditions: Conditions, By(author): By) -> Answer {
    let delete = app.run(move |service| items::delete(service, T::KIND, &name, force, &conditions, &author));
    let revision = delete.await?;
    Ok((StatusCode::NO_CONTENT, [(items::REVISION, items::number(revision))]).into_response())
}

macro_rules! collections {
    ($($module:ident = $collection:literal, $item:ident;)+) => {
        /// Every collection.
        pub(super) fn routes() -> OpenApiRouter<App> {
            OpenApiRouter::new()$(
                .routes(routes!($module::list))
                .routes(routes!($module::get, $module::put, $module::patch, $module::delete))
            )+
        }

        #[cfg(test)]
        const SERVED: &[(domain::Kind, &str)] = &[$((domain::Kind::$item, $collection)),+];

        $(mod $module {
            use super::*;

            type Shown = View<domain::$item>;
            type List = PageOf<domain::$item>;

            #[utoipa::path(
                get, path = concat!("/api/v1/", $collection), operation_id = concat!("list-", $collection), tag = $collection,
                params(ListQuery), responses((status = 200, description = "One page.", body = List)),
            )]
            pub(super) async fn list(State(app): State<App>, Query(query): Query<ListQuery>) -> Answer {
                super::list::<domain::$item>(app, query).await
            }

            #[utoipa::path(
                get, path = concat!("/api/v1/", $collection, "/{uniqueName}"), operation_id = concat!("get-", $collection),
                tag = $collection, params(("uniqueName" = String, Path, description = "The unique name.")),
                responses((status = 200, description = "The item.", body = Shown)),
            )]
            pub(super) async fn get(State(app): State<App>, Path(name): Path<String>, _: Query<Nothing>) -> Answer {
                super::get::<domain::$item>(app, name).await
            }

            #[utoipa::path(
                put, path = concat!("/api/v1/", $collection, "/{uniqueName}"), operation_id = concat!("put-", $collection),
                tag = $collection, params(("uniqueName" = String, Path, description = "The unique name.")), request_body = Shown,
                responses(
                    (status = 200, description = "The item, replaced.", body = Shown),
                    (status = 201, description = "The item, created.", body = Shown),
                ),
            )]
            pub(super) async fn put(
                State(app): State<App>,
                Path(name): Path<String>,
                _: Query<Nothing>,
                conditions: Conditions,
                by: By,
                body: Json,
            ) -> Answer {
                super::put::<domain::$item>(app, name, conditions, by, body).await
            }

            #[utoipa::path(
                patch, path = concat!("/api/v1/", $collection, "/{uniqueName}"), operation_id = concat!("patch-", $collection),
                tag = $collection, params(("uniqueName" = String, Path, description = "The unique name.")),
                request_body(content = serde_json::Value, content_type = "application/merge-patch+json", description = "Attributes to change; `null` removes one."),
                responses((status = 200, description = "The item, patched.", body = Shown)),
            )]
            pub(super) async fn patch(
                State(app): State<App>,
                Path(name): Path<String>,
                _: Query<Nothing>,
                conditions: Conditions,
                by: By,
                body: MergePatch,
            ) -> Answer {
                super::patch::<domain::$item>(app, name, conditions, by, body).await
            }

            #[utoipa::path(
                delete, path = concat!("/api/v1/", $collection, "/{uniqueName}"), operation_id = concat!("delete-", $collection),
                tag = $collection, params(("uniqueName" = String, Path, description = "The unique name."), DeleteQuery),
                responses((status = 204, description = "It is gone.")),
            )]
            pub(super) async fn delete(
                State(app): State<App>,
                Path(name): Path<String>,
                Query(query): Query<DeleteQuery>,
                conditions: Conditions,
                by: By,
            ) -> Answer {
                super::delete::<domain::$item>(app, name, query.force, conditions, by).await
            }
        })+
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
