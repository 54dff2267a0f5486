//! What happens to every request, whatever it asks.

pub(in crate::http) mod answer_headers;
pub(in crate::http) mod request_log;
pub(in crate::http) mod trace_parent;
