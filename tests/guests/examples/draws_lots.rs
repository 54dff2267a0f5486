//! Asks the random source, again and again.

use std::hash::{BuildHasher, RandomState};

use loadout_test_guests::{rule, shown};

rule!(|_| {
    let lots: Vec<u64> = (0..3).map(|_| RandomState::new().hash_one(1)).collect();
    shown(format!(r#"{{"lots":{lots:?}}}"#))
});
