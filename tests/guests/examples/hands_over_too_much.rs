//! Hands the host a key of a megabyte.

use loadout_test_guests::{context, rule, shown};

rule!(|_| {
    std::hint::black_box(context::get(&"k".repeat(1 << 20)));
    shown("{}")
});
