//! Answers with what looks like JSON and is none.

use loadout_test_guests::{rule, shown};

rule!(|_| shown("{'a': 1}"));
