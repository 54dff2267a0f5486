//! Connections, and the work that a server does beside requests.

pub(in crate::http) mod connections;
pub(in crate::http) mod outbox_worker;
pub(in crate::http) mod plugin_retry_worker;
pub(in crate::http) mod recording_worker;
