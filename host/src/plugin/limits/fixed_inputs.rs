//! What a plugin finds in the world around it, and must not go by: the time, and random numbers.
//!
//! They are the same in every call of a host. A developer who tests whether a plugin depends on them calls it with
//! others.

use std::time::Duration;

/// The time that stands still in a call, and where its random numbers begin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FixedInputs {
    /// The time of the wall clock since 1970, and of the monotonic clock.
    pub time: Duration,
    /// Where random numbers begin.
    pub seed: u64,
}

impl FixedInputs {
    /// Those of every host.
    pub const USUAL: Self = Self { time: Duration::ZERO, seed: 0 };

    /// Others: what a plugin answers must be the same under them.
    pub const OTHER: Self = Self { time: Duration::new(1_000_000_000, 500_000_000), seed: 0x9e37_79b9 };
}
