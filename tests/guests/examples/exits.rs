//! Ends its process.

use loadout_test_guests::rule;

rule!(|_| std::process::exit(0));
