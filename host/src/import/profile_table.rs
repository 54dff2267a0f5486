//! The table of profiles, as a solution names it.

/// The table.
pub(crate) const PROFILE: &str = "msdyn_appconfiguration";
/// Its key.
pub(crate) const ID: &str = "msdyn_appconfigurationid";
