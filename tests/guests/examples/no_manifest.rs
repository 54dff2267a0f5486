//! Does nothing wrong, and was packed without a manifest.

use loadout_test_guests::{rule, shown};

rule!(|_| shown("{}"));
