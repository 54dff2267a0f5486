//! The clock of one call. It counts the processor time of the thread that makes the call, so that no guest pays for a
//! busy machine, and leaves out what the host did for itself meanwhile.
//!
//! Where processor time cannot be told, the time on the wall has to do.

use std::time::{Duration, Instant};

/// How many times its deadline a call may take on the wall. One that got no processor for so long is not made.
const STARVING: u32 = 20;

/// Since when a call is made.
#[derive(Debug, Clone, Copy)]
pub(in crate::plugin) struct Clock {
    begun: Moment,
    elsewhere: Spent,
}

/// A moment on both clocks.
#[derive(Debug, Clone, Copy)]
pub(in crate::plugin) struct Moment {
    wall: Instant,
    processor: Duration,
}

/// Time on both clocks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::plugin) struct Spent {
    pub(in crate::plugin) wall: Duration,
    pub(in crate::plugin) processor: Duration,
}

/// How much of a deadline is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::plugin) enum Left {
    /// This much.
    Time(Duration),
    /// Nothing: it was used.
    Used,
    /// It was not used, and there was no processor to use it on.
    Starved,
}

impl Moment {
    pub(in crate::plugin) fn now() -> Self {
        let wall = Instant::now();
        Self { wall, processor: processor_time() }
    }

    /// What was spent since.
    pub(in crate::plugin) fn spent(self) -> Spent {
        let now = Self::now();
        Spent {
            wall: now.wall.saturating_duration_since(self.wall),
            processor: now.processor.saturating_sub(self.processor),
        }
    }
}

impl Clock {
    pub(in crate::plugin) fn start() -> Self {
        Self { begun: Moment::now(), elsewhere: Spent::default() }
    }

    /// Leaves out what the host spent on itself.
    pub(in crate::plugin) fn leave_out(&mut self, spent: Spent) {
        self.elsewhere.wall = self.elsewhere.wall.saturating_add(spent.wall);
        self.elsewhere.processor = self.elsewhere.processor.saturating_add(spent.processor);
    }

    /// The processor time that was spent on the call.
    pub(in crate::plugin) fn spent(&self) -> Duration {
        self.begun.spent().processor.saturating_sub(self.elsewhere.processor)
    }

    /// What is left of `deadline`.
    pub(in crate::plugin) fn left(&self, deadline: Duration) -> Left {
        let Spent { wall, processor } = self.begun.spent();
        let wall = wall.saturating_sub(self.elsewhere.wall);
        left(deadline, Spent { wall, processor: processor.saturating_sub(self.elsewhere.processor) })
    }
}

fn left(deadline: Duration, spent: Spent) -> Left {
    let (own, wall) =
        (deadline.saturating_sub(spent.processor), deadline.saturating_mul(STARVING).saturating_sub(spent.wall));
    if own.is_zero() {
        Left::Used
    } else if wall.is_zero() {
        Left::Starved
    } else {
        Left::Time(own.min(wall))
    }
}

#[cfg(unix)]
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

#[cfg(not(unix))]
fn processor_time() -> Duration {
    static BEGUN: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    BEGUN.elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_processor_time_is_charged_until_there_is_none_to_be_had() {
        let millis = Duration::from_millis;
        for (wall, processor, expected) in [
            (0, 0, Left::Time(millis(50))),
            (20, 20, Left::Time(millis(30))),
            (900, 20, Left::Time(millis(30))),
            (980, 20, Left::Time(millis(20))),
            (50, 50, Left::Used),
            (2_000, 60, Left::Used),
            (1_000, 49, Left::Starved),
        ] {
            let spent = Spent { wall: millis(wall), processor: millis(processor) };
            assert_eq!(left(millis(50), spent), expected, "{wall} {processor}");
        }
    }

    #[test]
    fn who_sleeps_is_charged_nothing_and_who_works_is() {
        let begun = Moment::now();
        std::thread::sleep(Duration::from_millis(30));
        let slept = begun.spent();
        assert!(slept.wall >= Duration::from_millis(30) && slept.processor < Duration::from_millis(20), "{slept:?}");
        while begun.spent().processor < Duration::from_millis(5) {}
        let mut clock = Clock { begun, elsewhere: Spent::default() };
        assert!(matches!(clock.left(Duration::from_secs(1)), Left::Time(left) if left < Duration::from_millis(996)));
        clock.leave_out(begun.spent());
        assert!(matches!(clock.left(Duration::from_secs(1)), Left::Time(left) if left > Duration::from_millis(990)));
    }
}
