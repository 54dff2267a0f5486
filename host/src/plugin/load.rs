//! From the bytes of a component to one that is ready to be called.

pub(in crate::plugin) mod compiler;
pub(in crate::plugin) mod loader;
