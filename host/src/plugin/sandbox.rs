//! One bounded call, whatever the world of its component: its state, its log, its part of WASI, and its trace.

pub(in crate::plugin) mod call;
pub(in crate::plugin) mod empty_wasi;
pub(in crate::plugin) mod forbidden;
pub(in crate::plugin) mod log;
pub(in crate::plugin) mod state;
pub(in crate::plugin) mod trace;
pub(in crate::plugin) mod trap;
pub(in crate::plugin) mod wasi;
