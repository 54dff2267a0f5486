//! Limits the lines of the log about callers without a known token to 20 a second, and counts those that are left out.
//!
//! Such a caller may ask as often as connections allow. The limit keeps the log readable, and its disk from filling up.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Most lines in one second.
const LINES: u32 = 20;

/// The lines of one second.
const SECOND: Duration = Duration::from_secs(1);

/// What was written of strangers in this second. A copy counts in the same place.
#[derive(Clone, Default)]
pub(in crate::http) struct Strangers(Arc<Mutex<Lines>>);

#[derive(Default)]
struct Lines {
    since: Option<Instant>,
    written: u32,
    left_out: u64,
}

impl Strangers {
    /// Whether one more line is written. Says in the log how many were left out, as soon as one is written again.
    pub(in crate::http) fn may_have_line(&self) -> bool {
        match self.line(Instant::now()) {
            None => false,
            Some(0) => true,
            Some(left_out) => {
                tracing::warn!(left_out, "lines about callers without a known token were left out");
                true
            }
        }
    }

    /// One more line at `now`, with how many were left out before it; nothing if it is left out itself.
    fn line(&self, now: Instant) -> Option<u64> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.since.is_none_or(|since| now.saturating_duration_since(since) >= SECOND) {
            lines.since = Some(now);
            lines.written = 0;
        }
        if lines.written == LINES {
            lines.left_out += 1;
            return None;
        }
        lines.written += 1;
        Some(std::mem::take(&mut lines.left_out))
    }
}

/// Whether the caller of a request is known, as soon as the guard found out. A copy is about the same request.
#[derive(Clone, Default)]
pub(in crate::http) struct Known(Arc<AtomicBool>);

impl Known {
    /// The caller is known.
    pub(in crate::http) fn note(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the caller is known.
    pub(in crate::http) fn is_so(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_has_so_many_lines_and_the_next_one_says_how_many_more_there_were() {
        let (strangers, begun) = (Strangers::default(), Instant::now());
        let written = |at: Instant, calls: u32| (0..calls).filter_map(|_| strangers.line(at)).collect::<Vec<_>>();
        assert_eq!(written(begun, 5000), vec![0; 20]);
        assert_eq!(written(begun + SECOND / 2, 7), vec![0; 0]);
        assert_eq!(written(begun + SECOND, 3), [5000 - 20 + 7, 0, 0]);
    }
}
