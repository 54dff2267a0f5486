//! Whether files that tests compare with are written in place of that.

/// The variable that says so.
pub(super) const UPDATE: &str = "LOADOUT_UPDATE";

/// Whether it is `1`. Whatever else it says, nothing is written.
pub(super) fn is_updating() -> bool {
    std::env::var_os(UPDATE).is_some_and(|value| value == "1")
}
