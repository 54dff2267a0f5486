//! Asks the host the same thing without end.

use loadout_test_guests::{context, rule, shown};

rule!(|_| {
    for _ in 0..1_000_000 {
        std::hint::black_box(context::profile());
    }
    shown("{}")
});
