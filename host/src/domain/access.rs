//! Access: which caller may do what. A token has roles, a role has privileges, and every route of the API needs a
//! privilege.
//!
//! Refuses roles and privileges that an environment defines itself: both sets are closed, so that a role means the same
//! everywhere.

mod audit;
mod caller;
mod privilege;
mod role;
mod token;

pub use audit::{AuditEntry, AuditEvent, AuditOutcome, AuditRecord, Denial};
pub use caller::Caller;
pub use privilege::Privilege;
pub use role::{AccessRole, NoRole, Roles, UnknownRole};
pub use token::{AccessToken, InvalidTokenName, NewToken, Secret, Standing, TokenName};
