//! Answers with the order of a hash map, an address and a NaN's bits: whatever could differ from call to call.

use std::collections::HashMap;

use loadout_test_guests::{rule, shown};

rule!(|settings| {
    let map: HashMap<u32, u32> = (0..50).map(|at| (at, at)).collect();
    let order: Vec<u32> = map.into_keys().collect();
    let address = std::ptr::from_ref(&*Box::new(0_u8)).addr();
    let zero = std::hint::black_box(settings.len() as f64 * 0.0);
    let bits = (zero / std::hint::black_box(zero)).to_bits();
    let variables = std::env::vars().count() + std::env::args().count();
    shown(format!(r#"{{"order":{order:?},"address":{address},"bits":{bits},"variables":{variables}}}"#))
});
