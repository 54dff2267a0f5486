//! Who calls, what each caller may do, and the audit of both.

pub(in crate::http) mod access_roles;
pub(in crate::http) mod audit;
pub(in crate::http) mod auth;
pub(in crate::http) mod me;
pub(in crate::http) mod tokens;
