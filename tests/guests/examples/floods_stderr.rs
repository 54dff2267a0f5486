//! Writes to standard error without end.
#![expect(clippy::print_stderr, reason = "that is its sin")]

use loadout_test_guests::{rule, shown};

rule!(|_| {
    let line = "x".repeat(4_000);
    for _ in 0..1_000 {
        eprintln!("{line}");
    }
    shown("{}")
});
