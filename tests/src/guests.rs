//! The guests of `guests/examples` as components: one constant each, [`ALL`] of them, and
//! [`for_each_guest`](crate::for_each_guest).

include!(concat!(env!("OUT_DIR"), "/guests.rs"));
