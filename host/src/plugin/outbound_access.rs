//! What a plugin may reach outside of the host, and the one way there.

pub(in crate::plugin) mod gateway;
pub(in crate::plugin) mod lookup;
