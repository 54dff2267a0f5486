//! The cost of one request so far, and whether its caller still waits.
//!
//! All code that works on a request shares one [`Effort`]. It has no clock and no limit: the code adds the time it
//! used, and checks [`Effort::is_given_up`] before it goes on.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// The cost of one request so far, and whether its caller still waits.
#[derive(Debug, Default)]
pub struct Effort {
    /// Processor time of all plugins, in nanoseconds.
    plugins: AtomicU64,
    /// Processor time of steps around rules, in nanoseconds, which is a part of that of all plugins.
    around: AtomicU64,
    given_up: AtomicBool,
}

impl Effort {
    /// Returns the processor time of all plugins.
    pub fn of_plugins(&self) -> Duration {
        Duration::from_nanos(self.plugins.load(Relaxed))
    }

    /// Returns the processor time of steps around rules, which is a part of that of all plugins.
    pub fn of_steps_around(&self) -> Duration {
        Duration::from_nanos(self.around.load(Relaxed))
    }

    /// Adds processor time of a plugin.
    pub fn spend(&self, time: Duration) {
        add(&self.plugins, time);
    }

    /// Adds processor time of a step around a rule.
    pub fn spend_around(&self, time: Duration) {
        add(&self.around, time);
        self.spend(time);
    }

    /// Notes that the caller no longer waits: work on the request ends at its next check.
    pub fn give_up(&self) {
        self.given_up.store(true, Relaxed);
    }

    /// Tells whether the caller no longer waits.
    pub fn is_given_up(&self) -> bool {
        self.given_up.load(Relaxed)
    }
}

fn add(count: &AtomicU64, time: Duration) {
    let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    // The sum stops at its largest value; the closure always returns a value.
    let _ = count.fetch_update(Relaxed, Relaxed, |spent| Some(spent.saturating_add(nanos)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steps_around_rules_take_counts_among_all_plugins() {
        let effort = Effort::default();
        effort.spend(Duration::from_millis(3));
        effort.spend_around(Duration::from_millis(4));
        assert_eq!((effort.of_plugins().as_millis(), effort.of_steps_around().as_millis()), (7, 4));
        effort.spend_around(Duration::MAX);
        assert_eq!(effort.of_plugins(), Duration::from_nanos(u64::MAX), "a count never starts again");
        assert!(!effort.is_given_up());
        effort.give_up();
        assert!(effort.is_given_up());
    }
}
