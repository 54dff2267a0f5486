//! Access roles: lists the roles that a token can have, and the privileges of each.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::access::{AccessRole, Privilege};

use crate::http::query::{Nothing, Query};
use crate::http::state::App;

pub(in crate::http) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Every access role. The set is fixed: roles cannot be added.
#[derive(Debug, Serialize, ToSchema)]
struct AccessRoleList {
    /// The roles; the one with every privilege comes first.
    items: Vec<DescribedRole>,
}

/// A role, and what it allows.
#[derive(Debug, Serialize, ToSchema)]
struct DescribedRole {
    /// Its name.
    role: AccessRole,
    /// The purpose of the role.
    #[schema(value_type = String)]
    description: &'static str,
    /// What it allows.
    privileges: Vec<DescribedPrivilege>,
}

/// A privilege, and what it allows.
#[derive(Debug, Serialize, ToSchema)]
struct DescribedPrivilege {
    /// Its name.
    privilege: Privilege,
    /// What it allows.
    #[schema(value_type = String)]
    description: &'static str,
}

impl From<AccessRole> for DescribedRole {
    fn from(role: AccessRole) -> Self {
        let described =
            |privilege: &Privilege| DescribedPrivilege { privilege: *privilege, description: privilege.description() };
        let privileges = role.privileges().iter().map(described).collect();
        Self { role, description: role.description(), privileges }
    }
}

/// Returns the roles that a token can have, with the privileges of each.
#[utoipa::path(
    get, path = "/api/v1/access-roles", operation_id = "list-access-roles", tag = "access",
    responses((status = 200, description = "Every role.", body = AccessRoleList)),
)]
async fn list(_: Query<Nothing>) -> Json<AccessRoleList> {
    Json(AccessRoleList { items: AccessRole::ALL.iter().copied().map(DescribedRole::from).collect() })
}
