//! How many calls may run at once.
//!
//! The pool has room for exactly this many instances. Taking a free slot is one atomic operation; only who finds none
//! takes a lock and waits.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Slots, and who waits for one.
#[derive(Debug)]
pub(in crate::plugin) struct Slots {
    free: AtomicUsize,
    waiting: AtomicUsize,
    lock: Mutex<()>,
    freed: Condvar,
}

/// A slot, given back when dropped.
#[derive(Debug)]
pub(in crate::plugin) struct Slot<'a>(&'a Slots);

/// Why there is no slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::plugin) enum NoSlot {
    /// As many wait as may.
    TooManyWait,
    /// None became free in time.
    NoneBecameFree,
}

impl Slots {
    pub(in crate::plugin) fn new(count: usize) -> Self {
        Self {
            free: AtomicUsize::new(count),
            waiting: AtomicUsize::new(0),
            lock: Mutex::new(()),
            freed: Condvar::new(),
        }
    }

    /// A slot, if one becomes free within `patience`.
    pub(in crate::plugin) fn take(&self, slot_timeout: Duration) -> Option<Slot<'_>> {
        self.take_among(slot_timeout, usize::MAX).ok()
    }

    /// A slot, if one becomes free within `patience`, and if fewer than `most` wait for one already.
    pub(in crate::plugin) fn take_among(&self, slot_timeout: Duration, most: usize) -> Result<Slot<'_>, NoSlot> {
        if let Some(slot) = self.try_take() {
            return Ok(slot);
        }
        // One step, so that of many who come at once no more than `most` wait.
        let announced = |waiting: usize| (waiting < most).then_some(waiting.saturating_add(1));
        self.waiting.fetch_update(SeqCst, SeqCst, announced).map_err(|_| NoSlot::TooManyWait)?;
        let taken = self.wait(slot_timeout);
        self.waiting.fetch_sub(1, SeqCst);
        taken.ok_or(NoSlot::NoneBecameFree)
    }

    /// A slot, if one is free now.
    pub(in crate::plugin) fn try_take(&self) -> Option<Slot<'_>> {
        self.free.fetch_update(SeqCst, SeqCst, |free| free.checked_sub(1)).ok().map(|_| Slot(self))
    }

    /// How many calls wait for a slot.
    #[cfg(test)]
    pub(in crate::plugin) fn waiting(&self) -> usize {
        self.waiting.load(SeqCst)
    }

    /// Waits for a slot. The caller announced the wait before: a call that gives a slot back either sees the
    /// announcement, or gave the slot back before the first look here.
    fn wait(&self, slot_timeout: Duration) -> Option<Slot<'_>> {
        let until = Instant::now() + slot_timeout;
        // The lock guards nothing but the wait itself, so a poisoned one is as good.
        let mut guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.try_take() {
                Some(slot) => return Some(slot),
                None if left.is_zero() => return None,
                None => guard = self.freed.wait_timeout(guard, left).unwrap_or_else(PoisonError::into_inner).0,
            }
        }
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.0.free.fetch_add(1, SeqCst);
        if self.0.waiting.load(SeqCst) > 0 {
            let _guard = self.0.lock.lock().unwrap_or_else(PoisonError::into_inner);
            self.0.freed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_gets_a_slot_that_is_taken() {
        let slots = Slots::new(2);
        let (first, second) = (slots.take(Duration::ZERO), slots.take(Duration::ZERO));
        assert!(first.is_some() && second.is_some());
        assert!(slots.take(Duration::from_millis(1)).is_none());
        drop(first);
        assert!(slots.take(Duration::ZERO).is_some());
    }

    #[test]
    fn a_queue_that_is_full_takes_nobody_else() {
        let slots = Slots::new(1);
        let held = slots.take(Duration::ZERO).unwrap();
        assert!(slots.take_among(Duration::from_secs(60), 0).is_err(), "nobody may wait, so nobody does");
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| slots.take_among(Duration::from_secs(60), 1).is_ok());
            while slots.waiting.load(SeqCst) == 0 {
                std::thread::yield_now();
            }
            assert!(slots.take_among(Duration::from_secs(60), 1).is_err(), "one waits already");
            drop(held);
            assert!(waiting.join().unwrap());
        });
    }

    #[test]
    fn of_many_that_come_at_once_no_more_wait_than_may() {
        let slots = Slots::new(1);
        let held = slots.take(Duration::ZERO).unwrap();
        let refused = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..32 {
                scope.spawn(|| match slots.take_among(Duration::from_secs(60), 4) {
                    Ok(slot) => drop(slot),
                    Err(why) => {
                        assert_eq!(why, NoSlot::TooManyWait);
                        refused.fetch_add(1, SeqCst);
                    }
                });
            }
            while refused.load(SeqCst) < 28 {
                std::thread::yield_now();
            }
            assert_eq!(slots.waiting.load(SeqCst), 4);
            drop(held);
        });
        assert_eq!((refused.load(SeqCst), slots.free.load(SeqCst)), (28, 1));
    }

    #[test]
    fn everybody_who_waits_gets_one() {
        let (slots, running) = (Slots::new(2), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..100 {
                        let slot = slots.take(Duration::from_secs(60)).expect("slots are given back");
                        assert!(running.fetch_add(1, SeqCst) < 2);
                        std::thread::yield_now();
                        running.fetch_sub(1, SeqCst);
                        drop(slot);
                    }
                });
            }
        });
        assert_eq!(slots.free.load(SeqCst), 2);
    }
}
