//! Answers with a valid payload of as many bytes as `settings` asks for in `{"bytes":N}`.

use loadout_test_guests::{rule, shown};

rule!(|settings| {
    let digits: String = settings.chars().filter(char::is_ascii_digit).collect();
    let bytes: usize = digits.parse().unwrap_or(1 << 20);
    shown(format!(r#"{{"text":"{}"}}"#, "x".repeat(bytes)))
});
