//! Has the host replace so many slugs without a value that looking for each among the others takes long. Told so, a
//! text that is long besides.

use loadout_test_guests::{context, rule, shown};

rule!(|settings| {
    let count = if settings.contains("long") { 30_000 } else { 9_000 };
    let slugs: String = (0..count).map(|at| format!("{{a{at:x}}}")).collect();
    std::hint::black_box(context::render(&slugs));
    shown("{}")
});
