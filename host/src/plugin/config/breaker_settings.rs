//! When a circuit breaker opens, and for how long.

use std::time::Duration;

/// When a breaker opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerSettings {
    /// So many faults open it, of several callers or about several persons where they can be told apart,
    pub faults: usize,
    /// if they happened within this time and at least every second call since the first of them broke.
    pub window: Duration,
    /// The first pause, in which the component is not called; twice as long after each try that fails.
    pub pause: Duration,
    /// The longest pause.
    pub longest: Duration,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            faults: 5,
            window: Duration::from_secs(30),
            pause: Duration::from_secs(5),
            longest: Duration::from_secs(300),
        }
    }
}
