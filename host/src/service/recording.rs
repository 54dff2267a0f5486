//! Calls that are observed and recorded, and recordings that are replayed.

pub(in crate::service) mod observer;
pub(in crate::service) mod recordings;
