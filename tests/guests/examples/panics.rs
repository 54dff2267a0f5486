//! Panics with a message.

use loadout_test_guests::rule;

rule!(|settings| panic!("the sky fell on {settings}"));
