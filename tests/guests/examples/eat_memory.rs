//! Wants a gigabyte at once.

use loadout_test_guests::{rule, shown};

rule!(|_| {
    let eaten = std::hint::black_box(vec![1_u8; 1 << 30]);
    shown(format!(r#"{{"eaten":{}}}"#, eaten.len()))
});
