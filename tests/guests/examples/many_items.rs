//! Names two thousand items.

use loadout_test_guests::{Decision, ItemReference, Presentation, rule};

rule!(|_| {
    let item = |at| ItemReference { kind: "scripts".to_owned(), unique_name: format!("s{at}") };
    Ok(Decision::Shown(Presentation { payload: "{}".to_owned(), items: (0..2_000).map(item).collect() }))
});
