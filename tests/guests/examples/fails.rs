//! Answers that it cannot decide.

use loadout_test_guests::{Fault, rule};

rule!(|_| Err(Fault { code: "bad-settings".to_owned(), message: "`colour` is no setting of mine".to_owned() }));
