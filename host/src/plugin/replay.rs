//! Calls that are observed, recorded, and made again.

pub(in crate::plugin) mod answer;
pub(in crate::plugin) mod inquiry;
pub(in crate::plugin) mod observation;
pub(in crate::plugin) mod recording;
