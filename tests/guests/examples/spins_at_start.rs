//! Loops before it is asked anything: in a constructor, which runs when the instance is made.
#![expect(unsafe_code, reason = "a constructor is made by placing a function in a section of the linker")]

use loadout_test_guests::{rule, shown};

extern "C" fn spin() {
    loop {
        std::hint::black_box(());
    }
}

#[used]
// SAFETY: the section holds pointers to functions of exactly this type.
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn() = spin;

rule!(|_| shown("{}"));
