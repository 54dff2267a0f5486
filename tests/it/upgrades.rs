//! Old environments and old databases.

mod databases;
mod ended_assignments;
pub(crate) mod upgrade;
mod upgrade_process;
