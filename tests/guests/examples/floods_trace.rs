//! Writes trace lines: as many as `settings` has bytes, of 1,000 bytes each.

use loadout_test_guests::{rule, shown, trace};

rule!(|settings| {
    let line = "x".repeat(1_000);
    for _ in 0..settings.len() {
        trace::log(trace::Level::Info, &line);
    }
    shown("{}")
});
