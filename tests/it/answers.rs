//! What people get, and why.

mod addresses;
mod cases;
mod experience;
mod no_rule;
mod queries;
