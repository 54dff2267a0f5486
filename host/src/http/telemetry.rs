//! Counters of the server, and of the calls of plugins.

pub(in crate::http) mod call_metrics;
pub(in crate::http) mod load_metrics;
pub(in crate::http) mod metrics;
