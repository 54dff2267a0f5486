//! The connections of a server, and its background workers.

pub(in crate::http) mod connections;
pub(in crate::http) mod outbox_worker;
pub(in crate::http) mod plugin_retry_worker;
pub(in crate::http) mod recording_worker;
