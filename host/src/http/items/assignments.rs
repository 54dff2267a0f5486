//! Direct assignments: the people of a profile.

use std::collections::BTreeSet;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::{Kind, Name, Profile, User};
use crate::store::{Change, ChangeSet, Changed, How, Replaced, Store};

use super::{REVISION, number, passed_over};
use crate::http::body::Typed;
use crate::http::etag::Unconditional;
use crate::http::items;
use crate::http::page;
use crate::http::page::Page;
use crate::http::problem::Refusal;
use crate::http::query::{By, Nothing, Query};
use crate::http::state::App;

pub(in crate::http) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, change)).routes(routes!(assign, unassign))
}

/// A person who was assigned.
#[derive(Debug, Serialize, ToSchema)]
struct Assigned {
    /// The profile.
    profile: String,
    /// The person.
    login: String,
    /// The profiles the person was assigned to before and is no more.
    replaced: Vec<String>,
}

/// People to add and to remove, all or none.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct Changes {
    /// Logins to assign.
    add: BTreeSet<Name<User>>,
    /// Logins whose assignment is taken back.
    remove: BTreeSet<Name<User>>,
}

/// The changes that were made.
#[derive(Debug, Serialize, ToSchema)]
struct AssignmentChanges {
    /// The profile.
    profile: String,
    /// The people who are new.
    added: Vec<String>,
    /// The people who are not assigned any more.
    removed: Vec<String>,
    /// The assignments to other profiles that were replaced.
    replaced: Vec<Replaced>,
}

/// A person of a profile.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ProfileUser)]
struct Member {
    /// The person.
    login: String,
    /// Shown.
    display_name: String,
}

/// One page of people.
#[derive(ToSchema)]
#[schema(as = ProfileUserPage)]
#[expect(dead_code, reason = "describes the page in the OpenAPI document")]
struct Members {
    items: Vec<Member>,
    next: Option<String>,
}

/// The people that are listed.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct MembersQuery {
    /// People on the page, 1 to 500; 50 without it.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
    /// The login after which the page begins.
    after: Option<String>,
}

/// Lists the people assigned to a profile directly.
#[utoipa::path(
    get, path = "/api/v1/profiles/{uniqueName}/users", operation_id = "list-profile-users", tag = "assignments",
    params(("uniqueName" = String, Path, description = "The unique name of the profile."), MembersQuery),
    responses((status = 200, description = "One page.", body = Members)),
)]
async fn list(
    State(app): State<App>,
    Path(profile): Path<String>,
    Query(query): Query<MembersQuery>,
) -> Result<Response, Refusal> {
    let limit = page::limit(query.limit)?;
    let page = app.run(move |service| {
        let store = service.store();
        let profile = existing(store, &profile)?;
        let mut logins = store.assigned_people(&profile, query.after.as_deref().unwrap_or_default(), limit + 1)?;
        let more = logins.len() > limit;
        logins.truncate(limit);
        let next = logins.last().filter(|_| more).map(|last| {
            let size = query.limit.map(|limit| limit.to_string());
            let path = format!("/api/v1/profiles/{}/users", page::escaped(profile.as_str()));
            page::next(&path, &[("limit", size.as_deref()), ("after", Some(last))])
        });
        let mut items = Vec::with_capacity(logins.len());
        for login in logins {
            let display_name = store.user(&login)?.map_or_else(String::new, |(user, _)| user.display_name.to_string());
            items.push(serde_json::json!(Member { login, display_name }));
        }
        Ok(Page { items, next })
    });
    Ok(axum::Json(page.await?).into_response())
}

/// Assigns a person to a profile directly; an earlier assignment for the same app gives way.
#[utoipa::path(
    put, path = "/api/v1/profiles/{uniqueName}/users/{login}", operation_id = "assign-user", tag = "assignments",
    params(("uniqueName" = String, Path, description = "The unique name of the profile."), ("login" = String, Path, description = "The login of the person.")),
    responses((status = 200, description = "The person is assigned.", body = Assigned)),
)]
async fn assign(
    State(app): State<App>,
    Path((profile, login)): Path<(String, String)>,
    _: Query<Nothing>,
    _: Unconditional,
    By(author): By,
) -> Result<Response, Refusal> {
    let assign = app.run(move |service| {
        let (name, person) = (profile.parse()?, login.parse()?);
        let change = Change::Assign { profile: name, login: person };
        let done = service.commit(&ChangeSet::new([change]), &author)?;
        let replaced = done.replaced.into_iter().map(|replaced| replaced.profile).collect();
        let headers = ([(REVISION, number(done.revision))], passed_over(&done.skipped));
        Ok((headers, Assigned { profile, login, replaced }))
    });
    let (headers, assigned) = assign.await?;
    Ok((headers, axum::Json(assigned)).into_response())
}

/// Deletes the direct assignment of a person to a profile.
#[utoipa::path(
    delete, path = "/api/v1/profiles/{uniqueName}/users/{login}", operation_id = "unassign-user", tag = "assignments",
    params(("uniqueName" = String, Path, description = "The unique name of the profile."), ("login" = String, Path, description = "The login of the person.")),
    responses((status = 204, description = "The person is not assigned any more.")),
)]
async fn unassign(
    State(app): State<App>,
    Path((profile, login)): Path<(String, String)>,
    _: Query<Nothing>,
    _: Unconditional,
    By(author): By,
) -> Result<Response, Refusal> {
    let unassign = app.run(move |service| {
        let name = existing(service.store(), &profile)?;
        let change = Change::Unassign { profile: name, login: login.parse()? };
        let done = service.commit(&ChangeSet::new([change]), &author)?;
        if done.changed.is_empty() {
            let detail = format!(
                "user `{login}` is not assigned to profile `{profile}` directly: there is nothing to take back"
            );
            return Err(Refusal::new(StatusCode::NOT_FOUND, "not-assigned", detail));
        }
        Ok(([(REVISION, number(done.revision))], passed_over(&done.skipped)))
    });
    Ok((StatusCode::NO_CONTENT, unassign.await?).into_response())
}

/// Adds and removes people of a profile, all or none, as one revision.
#[utoipa::path(
    post, path = "/api/v1/profiles/{uniqueName}/users", operation_id = "change-profile-users", tag = "assignments",
    params(("uniqueName" = String, Path, description = "The unique name of the profile.")), request_body = Changes,
    responses((status = 200, description = "The changes that were made.", body = AssignmentChanges)),
)]
async fn change(
    State(app): State<App>,
    Path(profile): Path<String>,
    _: Query<Nothing>,
    _: Unconditional,
    By(author): By,
    Typed(changes): Typed<Changes>,
) -> Result<Response, Refusal> {
    if let Some(both) = changes.add.intersection(&changes.remove).next() {
        return Err(Refusal::request("remove", format!("`{both}` is to be added and removed: choose one")));
    }
    let change = app.run(move |service| {
        let name = existing(service.store(), &profile)?;
        let Changes { add, remove } = changes;
        let removals = remove.into_iter().map(|login| Change::Unassign { profile: name.clone(), login });
        let additions = add.into_iter().map(|login| Change::Assign { profile: name.clone(), login });
        let done = service.commit(&ChangeSet::new(removals.chain(additions)), &author)?;
        let (added, removed) =
            (logins(&done.changed, &profile, How::Created), logins(&done.changed, &profile, How::Deleted));
        let headers = ([(REVISION, number(done.revision))], passed_over(&done.skipped));
        Ok((headers, AssignmentChanges { profile, added, removed, replaced: done.replaced }))
    });
    let (headers, changed) = change.await?;
    Ok((headers, axum::Json(changed)).into_response())
}

fn existing(store: &Store, profile: &str) -> Result<Name<Profile>, Refusal> {
    items::get(store, Kind::Profile, profile)?;
    Ok(profile.parse()?)
}

/// The people whose assignment to `profile` changed in this way.
fn logins(changed: &[Changed], profile: &str, how: How) -> Vec<String> {
    let changed = changed.iter().filter(|changed| changed.how == how);
    changed.filter_map(|changed| Some(changed.name.strip_prefix(profile)?.strip_prefix('/')?.to_owned())).collect()
}
