//! Settings that a plugin declares: their schema, and the migrations from earlier versions.

pub(in crate::plugin) mod migration;
pub(in crate::plugin) mod schema;
