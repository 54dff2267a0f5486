//! Says what was not tried, so that it does not pass for what was.

use std::io::{self, Write};

/// Says that something was not tried, and why. The line is seen although the test passes: what is printed by a macro is
/// kept back then.
pub fn skipped(what: &str) {
    // A program without a standard error has no place to say so.
    let _ = writeln!(io::stderr().lock(), "SKIPPED: {what}");
}
