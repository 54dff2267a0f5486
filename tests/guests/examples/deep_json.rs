//! Answers with JSON that is nested ten thousand levels deep.

use loadout_test_guests::{rule, shown};

rule!(|_| {
    const LEVELS: usize = 10_000;
    shown(format!("{}1{}", r#"{"a":"#.repeat(LEVELS), "}".repeat(LEVELS)))
});
