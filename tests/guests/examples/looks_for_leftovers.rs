//! Leaves a pattern in its memory if it is told to, and else looks for it in all memory it can get.

use loadout_test_guests::{rule, shown};

/// Words of the pattern: a mebibyte.
const WORDS: usize = (1 << 20) / size_of::<u64>();

/// Words in a row that are no accident, nor a copy in a register.
#[cfg(target_arch = "wasm32")]
const RUN: usize = 16;

rule!(|settings| {
    // Nowhere in the component as it is written.
    let secret = std::hint::black_box(0x1234_5678_9abc_def0_u64).rotate_left(13) ^ 0x5555;
    if settings.contains("leave") {
        let left = vec![secret; WORDS].leak();
        return shown(format!(r#"{{"left":{}}}"#, std::hint::black_box(left).len()));
    }
    let (found, looked) = look(secret);
    shown(format!(r#"{{"found":{found},"looked":{looked}}}"#))
});

#[cfg(target_arch = "wasm32")]
#[expect(unsafe_code, reason = "no safe code looks at memory that was never given to it")]
fn look(secret: u64) -> (usize, bool) {
    use core::arch::wasm32::{memory_grow, memory_size};

    const PAGE: usize = 64 << 10;
    let grown = memory_grow::<0>(128) != usize::MAX;
    let words = memory_size::<0>() * PAGE / size_of::<u64>();
    let (mut runs, mut run) = (0, 0);
    // Not from the very beginning: reading through a null pointer is undefined.
    for at in 1..words {
        let address = core::ptr::without_provenance::<u64>(at * size_of::<u64>());
        // SAFETY: the address is aligned and in this instance's memory: each byte is readable, and nothing else runs.
        let word = unsafe { address.read_volatile() };
        run = if word == secret { run + 1 } else { 0 };
        runs += usize::from(run == RUN);
    }
    (runs, grown && words > WORDS)
}

#[cfg(not(target_arch = "wasm32"))]
fn look(_: u64) -> (usize, bool) {
    (0, false)
}
