//! The runtime of plugins: the platform with its catalogs, and the one permit for reading archives.

pub(in crate::service) mod platform;
pub(in crate::service) mod plugin_source;
pub(in crate::service) mod serving;
pub(in crate::service) mod turn;
