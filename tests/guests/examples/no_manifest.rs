//! Does nothing wrong; whoever packed it forgot the manifest.

use loadout_test_guests::{rule, shown};

rule!(|_| shown("{}"));
