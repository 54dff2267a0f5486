//! What one call may use, how its use is counted, and how a call ends.

pub(in crate::plugin) mod call_error;
pub(in crate::plugin) mod call_limits;
pub(in crate::plugin) mod clock;
pub(in crate::plugin) mod exceeded;
pub(in crate::plugin) mod fixed_inputs;
pub(in crate::plugin) mod invalid;
pub(in crate::plugin) mod meter;
pub(in crate::plugin) mod slots;
pub(in crate::plugin) mod weight;
