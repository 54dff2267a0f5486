//! What people get, and why.

mod addresses;
mod experience;
mod no_rule;
mod queries;
