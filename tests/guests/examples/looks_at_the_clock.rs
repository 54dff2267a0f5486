//! Answers with the time, twice, and with how long that took.

use std::time::{Instant, SystemTime};

use loadout_test_guests::{rule, shown};

rule!(|_| {
    let (begun, before) = (Instant::now(), SystemTime::now());
    for at in 0..100_000 {
        std::hint::black_box(at);
    }
    shown(format!(r#"{{"before":"{before:?}","after":"{:?}","took":"{:?}"}}"#, SystemTime::now(), begun.elapsed()))
});
