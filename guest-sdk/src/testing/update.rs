//! The switch that makes tests write the files they compare with, in place of comparing.

/// The variable with the switch.
pub(super) const UPDATE: &str = "LOADOUT_UPDATE";

/// Returns whether the variable is `1`. With any other value nothing is written.
pub(super) fn is_updating() -> bool {
    std::env::var_os(UPDATE).is_some_and(|value| value == "1")
}
