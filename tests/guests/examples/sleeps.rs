//! Sleeps for a day.

use std::time::Duration;

use loadout_test_guests::{rule, shown};

rule!(|_| {
    std::thread::sleep(Duration::from_secs(86_400));
    shown("{}")
});
