//! The pace that a caller must keep when it sends a body or takes an answer, so that a slow caller holds nothing for
//! long.

use std::time::Duration;

/// The limits of a slow caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Longest pause, and how far a caller may fall behind `rate` in all.
    pub grace: Duration,
    /// Fewest bytes a second, over time.
    pub rate: u32,
}

impl Default for Pace {
    /// Ten seconds of grace and 8 KiB a second: slower than any line that is still used.
    fn default() -> Self {
        Self { grace: Duration::from_secs(10), rate: 8 * 1024 }
    }
}

/// The time for which the server still waits for one caller. Waiting uses it up, and bytes bring it back. It is never
/// more than the grace, so a caller cannot save up a longer pause.
#[derive(Debug, Clone, Copy)]
pub(in crate::http) struct Patience {
    pace: Pace,
    left: Duration,
}

impl Patience {
    /// Patience with a caller who begins.
    pub(in crate::http) fn new(pace: Pace) -> Self {
        Self { pace, left: pace.grace }
    }

    /// How much is left.
    pub(in crate::http) fn left(&self) -> Duration {
        self.left
    }

    /// The caller was waited for this long, and then brought or took so many bytes.
    pub(in crate::http) fn waited(&mut self, time: Duration, bytes: usize) {
        let nanos = (bytes as u128 * 1_000_000_000) / u128::from(self.pace.rate.max(1));
        let earned = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        self.left = self.left.saturating_sub(time).saturating_add(earned).min(self.pace.grace);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace { grace: Duration::from_secs(10), rate: 1000 };

    #[test]
    fn the_rate_keeps_a_caller_and_less_does_not() {
        let (mut steady, mut slow) = (Patience::new(PACE), Patience::new(PACE));
        for _ in 0..1000 {
            steady.waited(Duration::from_secs(1), 1000);
            slow.waited(Duration::from_secs(1), 900);
        }
        assert_eq!(steady.left(), PACE.grace);
        assert!(slow.left() <= Duration::from_secs(1), "{slow:?}");
    }

    #[test]
    fn bytes_of_the_past_buy_no_pause() {
        let mut patience = Patience::new(PACE);
        patience.waited(Duration::ZERO, usize::MAX);
        assert_eq!(patience.left(), PACE.grace);
        patience.waited(PACE.grace, 0);
        assert_eq!(patience.left(), Duration::ZERO);
    }
}
