//! Loops.

use loadout_test_guests::rule;

rule!(|_| {
    loop {
        std::hint::black_box(());
    }
});
