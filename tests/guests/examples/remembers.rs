//! Counts its calls in a static.

use std::sync::atomic::{AtomicU32, Ordering};

use loadout_test_guests::{rule, shown};

static CALLS: AtomicU32 = AtomicU32::new(0);

rule!(|_| shown(format!(r#"{{"calls":{}}}"#, CALLS.fetch_add(1, Ordering::Relaxed) + 1)));
