//! The four worlds of the contract: how each is called, and how its answers are checked.

pub(in crate::plugin) mod amendment;
pub(in crate::plugin) mod configuration_step;
pub(in crate::plugin) mod decision;
pub(in crate::plugin) mod linker;
pub(in crate::plugin) mod sequence;
pub(in crate::plugin) mod tool_rule;
pub(in crate::plugin) mod tool_step;
pub(in crate::plugin) mod upgrade_step;
pub(in crate::plugin) mod v0_1;
