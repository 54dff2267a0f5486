//! Access: who may do what. A token has roles, a role has privileges, and every address of the API needs one of them.
//!
//! Refuses roles and privileges of one's own making: both sets are closed, so that a role means the same everywhere.

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
