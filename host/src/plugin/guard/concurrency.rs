//! How many calls of one plugin may run at once: all its versions of one weight share a bulkhead, so that one on trial
//! takes nothing from others.
//!
//! Calls that may wait for answers from outside have a bulkhead of their own, which is smaller, and room that they
//! share with those of all other plugins.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::waiting::{Budget, WaitingRoom};
use crate::plugin::config::Config;
use crate::plugin::limits::call_error::CallError;
use crate::plugin::limits::slots::{NoSlot, Slot, Slots};
use crate::plugin::limits::weight::Weight;

/// The bulkheads of plugins, by name and weight, as long as a component holds them.
#[derive(Debug)]
pub(in crate::plugin) struct Bulkheads {
    room: Arc<WaitingRoom>,
    known: Mutex<HashMap<(String, Weight), Weak<Bulkhead>>>,
}

/// The bulkhead of a plugin's components of one weight.
#[derive(Debug)]
pub(in crate::plugin) struct Bulkhead {
    weight: Weight,
    calls: Line,
    /// For calls that may wait outside.
    waiting: Line,
    budget: Budget,
    room: Arc<WaitingRoom>,
}

/// Slots, and how calls wait for one.
#[derive(Debug)]
struct Line {
    slots: Slots,
    queue: usize,
    slot_timeout: Duration,
}

/// A place in a bulkhead, for one call.
#[derive(Debug)]
pub(in crate::plugin) struct Place<'a> {
    bulkhead: &'a Bulkhead,
    _slots: [Option<Slot<'a>>; 3],
}

impl Bulkheads {
    pub(in crate::plugin) fn new(config: &Config) -> Self {
        Self { room: Arc::new(WaitingRoom::new(config)), known: Mutex::default() }
    }

    /// The bulkhead of a plugin's components of a weight, with the room that `config` gives if no component holds it
    /// yet.
    pub(in crate::plugin) fn of(&self, plugin: &str, weight: Weight, config: &Config) -> Arc<Bulkhead> {
        // What the lock guards is whole after every line.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (plugin.to_owned(), weight);
        if let Some(bulkhead) = known.get(&key).and_then(Weak::upgrade) {
            return bulkhead;
        }
        known.retain(|_, bulkhead| bulkhead.strong_count() > 0);
        let bulkhead = Arc::new(Bulkhead::new(weight, config, Arc::clone(&self.room)));
        known.insert(key, Arc::downgrade(&bulkhead));
        bulkhead
    }
}

impl Bulkheads {
    /// A place for a query of a slug, if it finds one at once: a thread of those that may wait outside, and not too
    /// many of them.
    pub(in crate::plugin) fn for_query(&self) -> Option<[Slot<'_>; 2]> {
        let WaitingRoom { threads, queries, .. } = &*self.room;
        Some([queries.try_take()?, threads.try_take()?])
    }
}

impl Bulkhead {
    fn new(weight: Weight, config: &Config, room: Arc<WaitingRoom>) -> Self {
        let slots = |count: u32| Slots::new(usize::try_from(count).unwrap_or(usize::MAX));
        let (queue, slot_timeout, waiting) = (config.queue, config.slot_timeout, config.waiting);
        Self {
            weight,
            calls: Line { slots: slots(config.calls_per_plugin(weight)), queue, slot_timeout },
            waiting: Line {
                slots: slots(config.waiting_calls_per_plugin(weight)),
                queue: waiting.queue.min(queue),
                slot_timeout: waiting.slot_timeout.min(slot_timeout),
            },
            budget: Budget::new(&waiting, Instant::now()),
            room,
        }
    }

    /// A place for one call. A call that `may_wait` outside finds one only while its plugin, and all such plugins
    /// together, hold no more threads than they may.
    pub(in crate::plugin) fn enter(&self, may_wait: bool) -> Result<Place<'_>, CallError> {
        if !may_wait {
            return Ok(Place { bulkhead: self, _slots: [Some(self.calls.take()?), None, None] });
        }
        self.budget
            .admit(Instant::now())
            .map_err(|left| CallError::Waited { seconds: left.as_secs().saturating_add(1) })?;
        let thread = self.room.threads.try_take().ok_or(CallError::Crowded)?;
        let turn = self.waiting.take()?;
        let running = self.room.running(self.weight).take(self.waiting.slot_timeout);
        let running = running.ok_or(CallError::Busy(self.waiting.slot_timeout))?;
        // In the order in which they are given back.
        Ok(Place { bulkhead: self, _slots: [Some(running), Some(turn), Some(thread)] })
    }
}

impl Line {
    fn take(&self) -> Result<Slot<'_>, CallError> {
        self.slots.take_among(self.slot_timeout, self.queue).map_err(|why| match why {
            NoSlot::TooManyWait => CallError::Full(self.queue),
            NoSlot::NoneBecameFree => CallError::Busy(self.slot_timeout),
        })
    }
}

impl Place<'_> {
    /// The call waited outside for so long.
    pub(in crate::plugin) fn waited(&self, time: Duration) {
        self.bulkhead.budget.spend(Instant::now(), time);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use super::*;
    use crate::plugin::config::waiting_share::WaitingShare;

    /// One call of each plugin at once, and no wait.
    fn narrow() -> Config {
        Config { per_plugin: 1, queue: 0, slot_timeout: Duration::ZERO, ..Config::default() }
    }

    #[test]
    fn versions_of_a_plugin_share_its_lane_and_others_have_their_own() {
        let config = narrow();
        let bulkheads = Bulkheads::new(&config);
        let of = |plugin| bulkheads.of(plugin, Weight::Light, &config);
        let (serving, tried, other) = (of("a/b"), of("a/b"), of("a/c"));
        let taken = serving.enter(false);
        assert!(taken.is_ok() && tried.enter(false).is_err());
        assert!(other.enter(false).is_ok());
        let heavy = bulkheads.of("a/b", Weight::Heavy, &config);
        assert!(heavy.enter(false).is_ok(), "it takes nothing from those of another weight");
        assert!(tried.enter(true).is_ok(), "nor from those that may wait outside");
        drop(taken);
        assert!(tried.enter(false).is_ok());
    }

    #[test]
    fn a_lane_that_no_component_holds_is_forgotten() {
        let config = Config::default();
        let bulkheads = Bulkheads::new(&config);
        for at in 0..10 {
            drop(bulkheads.of(&format!("a/{at}"), Weight::Light, &config));
        }
        assert_eq!(bulkheads.known.lock().unwrap().len(), 1);
    }

    /// Threads that ask plugins whose calls never end, one after the other: how many of them run, and how many are held
    /// in all.
    fn held(bulkheads: &[Arc<Bulkhead>], room: &WaitingRoom, threads: usize) -> (usize, usize) {
        let (running, refused, end) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::new(()));
        let going_on = end.lock().unwrap();
        std::thread::scope(|scope| {
            let (running, refused, end) = (&running, &refused, &end);
            for at in 0..threads {
                scope.spawn(move || match bulkheads[at % bulkheads.len()].enter(true) {
                    Ok(_place) => {
                        running.fetch_add(1, SeqCst);
                        drop(end.lock());
                    }
                    Err(_) => {
                        refused.fetch_add(1, SeqCst);
                    }
                });
                let waiting = || bulkheads.iter().map(|bulkhead| bulkhead.waiting.slots.waiting()).sum::<usize>();
                let in_room = || room.running(Weight::Light).waiting();
                while running.load(SeqCst) + refused.load(SeqCst) + waiting() + in_room() <= at {
                    std::thread::yield_now();
                }
            }
            let found = (running.load(SeqCst), threads - refused.load(SeqCst));
            drop(going_on);
            found
        })
    }

    #[test]
    fn one_plugin_that_waits_holds_a_quarter_of_the_threads_and_all_of_them_half() {
        let slot_timeout = Duration::from_secs(600);
        let waiting = WaitingShare { slot_timeout, ..WaitingShare::default() };
        let config = Config { slot_timeout, waiting, ..Config::default() };
        for (plugins, expected) in [(1, (8, 16)), (2, (16, 32)), (5, (16, 32))] {
            let bulkheads = Bulkheads::new(&config);
            let of = |at: usize| bulkheads.of(&format!("a/{at}"), Weight::Light, &config);
            let of_each: Vec<_> = (0..plugins).map(of).collect();
            assert_eq!(held(&of_each, &bulkheads.room, 64), expected, "{plugins} plugins");
        }
    }

    #[test]
    fn a_plugin_that_waited_too_long_is_refused_until_its_budget_has_grown() {
        let config = Config::default();
        let bulkhead = Bulkheads::new(&config).of("a/b", Weight::Light, &config);
        bulkhead.enter(true).unwrap().waited(Duration::from_secs(100_000));
        let refused = bulkhead.enter(true).unwrap_err();
        assert!(matches!(refused, CallError::Waited { seconds } if seconds > 10_000), "{refused:?}");
        assert!(bulkhead.enter(false).is_ok(), "a call that reaches nothing outside waits for nothing");
    }
}
