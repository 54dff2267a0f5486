//! Calls itself without end.

use loadout_test_guests::{rule, shown};

fn deeper(at: u64) -> u64 {
    if std::hint::black_box(at) == u64::MAX { at } else { std::hint::black_box(deeper(at + 1)) + 1 }
}

rule!(|_| shown(deeper(0).to_string()));
