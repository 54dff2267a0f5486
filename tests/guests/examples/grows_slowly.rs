//! Wants a little more memory again and again.

use loadout_test_guests::{rule, shown};

rule!(|_| {
    let mut eaten = Vec::new();
    for _ in 0..1 << 14 {
        eaten.push(std::hint::black_box(vec![1_u8; 64 << 10]));
    }
    shown(format!(r#"{{"eaten":{}}}"#, eaten.len()))
});
