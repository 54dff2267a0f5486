//! What runs plugins: the platform with its catalogs, and one turn for long work.

pub(in crate::service) mod platform;
pub(in crate::service) mod plugin_source;
pub(in crate::service) mod serving;
pub(in crate::service) mod turn;
