//! How much of the server requests may take: threads, memory, pace, and time.

pub(in crate::http) mod asked;
pub(in crate::http) mod lanes;
pub(in crate::http) mod look_ups;
pub(in crate::http) mod pace;
pub(in crate::http) mod room;
pub(in crate::http) mod strangers;
