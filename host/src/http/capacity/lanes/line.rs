//! The order of a lane: callers take turns by name, so that none of them takes the lane from the others.
//!
//! One caller works on three quarters of the threads at most, so that the next one finds a thread. While others wait,
//! no caller gets another thread who has a quarter of them. Where the queue is full, the caller with the most requests
//! in it gives its latest one to a caller who has fewer.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::LaneLimits;

/// The callers of one lane, with what they wait with: a `T` for each request.
pub(super) struct Line<T> {
    limits: LaneLimits,
    working: usize,
    waiting: usize,
    callers: HashMap<Arc<str>, Caller<T>>,
    /// Those who wait, in the order of their turns.
    turns: VecDeque<Arc<str>>,
    next: u64,
}

/// The requests of one caller in the lane.
struct Caller<T> {
    working: usize,
    waiting: VecDeque<(u64, T)>,
}

/// A place in the queue.
pub(super) struct Place<T> {
    /// The number of the place.
    pub(super) number: u64,
    /// The ticket that had to leave for it.
    pub(super) displaced: Option<T>,
}

impl<T> Line<T> {
    /// An empty lane.
    pub(super) fn new(limits: LaneLimits) -> Self {
        Self { limits, working: 0, waiting: 0, callers: HashMap::new(), turns: VecDeque::new(), next: 0 }
    }

    /// Most threads of one caller.
    fn most(&self) -> usize {
        self.limits.threads - self.limits.threads / 4
    }

    /// Most threads that one caller gets while others wait.
    fn share(&self) -> usize {
        (self.limits.threads / 4).max(1)
    }

    fn working_of(&self, name: &str) -> usize {
        self.callers.get(name).map_or(0, |caller| caller.working)
    }

    fn waiting_of(&self, name: &str) -> usize {
        self.callers.get(name).map_or(0, |caller| caller.waiting.len())
    }

    fn caller(&mut self, name: &Arc<str>) -> &mut Caller<T> {
        let none = || Caller { working: 0, waiting: VecDeque::new() };
        self.callers.entry(Arc::clone(name)).or_insert_with(none)
    }

    /// Takes a thread for `name`, if there is one for it.
    pub(super) fn enter(&mut self, name: &Arc<str>) -> bool {
        let enters = self.working < self.limits.threads && self.working_of(name) < self.most();
        if enters {
            self.working += 1;
            self.caller(name).working += 1;
        }
        enters
    }

    /// Lets `name` wait with `ticket`. Nothing where the queue is full and no caller has more in it to give.
    pub(super) fn wait(&mut self, name: &Arc<str>, ticket: T) -> Option<Place<T>> {
        let displaced = if self.waiting < self.limits.waiting { None } else { Some(self.displace_for(name)?) };
        let number = self.next;
        self.next += 1;
        self.waiting += 1;
        let caller = self.caller(name);
        caller.waiting.push_back((number, ticket));
        if caller.waiting.len() == 1 {
            self.turns.push_back(Arc::clone(name));
        }
        Some(Place { number, displaced })
    }

    /// Takes out the latest request of the caller with the most, if `name` has fewer even with one more.
    fn displace_for(&mut self, name: &str) -> Option<T> {
        let most = self.turns.iter().max_by_key(|name| self.waiting_of(name)).cloned()?;
        if self.waiting_of(&most) <= self.waiting_of(name) + 1 {
            return None;
        }
        let (_, ticket) = self.callers.get_mut(&most)?.waiting.pop_back()?;
        self.waiting -= 1;
        Some(ticket)
    }

    /// Takes the request with this number of `name` out of the queue, if it is still there.
    pub(super) fn leave(&mut self, name: &Arc<str>, number: u64) {
        let Some(caller) = self.callers.get_mut(name) else { return };
        let before = caller.waiting.len();
        caller.waiting.retain(|(known, _)| *known != number);
        let (after, working) = (caller.waiting.len(), caller.working);
        self.waiting -= before - after;
        if before > 0 && after == 0 {
            self.turns.retain(|known| known != name);
        }
        if after == 0 && working == 0 {
            self.callers.remove(name);
        }
    }

    /// A request of `name` needs its thread no more. Tells who gets it.
    pub(super) fn finish(&mut self, name: &Arc<str>) -> Option<(Arc<str>, T)> {
        self.working = self.working.saturating_sub(1);
        if let Some(caller) = self.callers.get_mut(name) {
            caller.working = caller.working.saturating_sub(1);
            if caller.working == 0 && caller.waiting.is_empty() {
                self.callers.remove(name);
            }
        }
        let with_less_than = |threads: usize| self.turns.iter().position(|name| self.working_of(name) < threads);
        let turn = with_less_than(self.share()).or_else(|| with_less_than(self.most()))?;
        let next = self.turns.remove(turn)?;
        let caller = self.callers.get_mut(&next)?;
        let (_, ticket) = caller.waiting.pop_front()?;
        caller.working += 1;
        if !caller.waiting.is_empty() {
            self.turns.push_back(Arc::clone(&next));
        }
        self.working += 1;
        self.waiting -= 1;
        Some((next, ticket))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A lane whose tickets are the names of those who wait.
    struct Tried(Line<&'static str>);

    impl Tried {
        fn new(threads: usize, waiting: usize) -> Self {
            Self(Line::new(LaneLimits { threads, waiting }))
        }

        /// How many of `times` requests of `name` work, wait and are refused.
        fn come(&mut self, name: &'static str, times: usize) -> (usize, usize, usize) {
            let (mut works, mut waits) = (0, 0);
            for _ in 0..times {
                if self.0.enter(&name.into()) {
                    works += 1;
                } else if self.0.wait(&name.into(), name).is_some() {
                    waits += 1;
                }
            }
            (works, waits, times - works - waits)
        }

        /// Lets requests of `name` end so often, and tells who gets their threads.
        fn ends(&mut self, name: &str, times: usize) -> Vec<&'static str> {
            (0..times).filter_map(|_| self.0.finish(&name.into())).map(|(_, ticket)| ticket).collect()
        }
    }

    #[test]
    fn one_caller_leaves_threads_to_the_next() {
        let mut lane = Tried::new(64, 256);
        assert_eq!(lane.come("many", 1000), (48, 256, 696));
        assert_eq!(lane.come("one", 1), (1, 0, 0));
        assert_eq!(lane.ends("one", 1), [""; 0], "the caller with many has its most");
        assert_eq!(lane.ends("many", 1), ["many"]);
        for (threads, most) in [(1, 1), (2, 2), (4, 3), (8, 6)] {
            assert_eq!(Tried::new(threads, 0).come("many", 100).0, most, "of {threads}");
        }
    }

    #[test]
    fn callers_take_turns_however_many_requests_one_has() {
        let mut lane = Tried::new(8, 100);
        lane.come("many", 50);
        lane.come("other", 2);
        assert_eq!((lane.come("a", 3), lane.come("b", 1)), ((0, 3, 0), (0, 1, 0)));
        // The one with six of eight threads gets no other until those with less than a quarter have theirs.
        assert_eq!(lane.ends("many", 6), ["a", "b", "a", "many", "a", "many"]);
    }

    #[test]
    fn a_full_queue_has_room_for_a_caller_with_fewer() {
        let mut lane = Tried::new(1, 4);
        assert_eq!(lane.come("many", 9), (1, 4, 4));
        assert_eq!(lane.come("a", 2), (0, 2, 0));
        assert_eq!(lane.come("a", 1), (0, 0, 1), "both have two");
        assert_eq!(lane.come("b", 2), (0, 1, 1));
        assert_eq!(lane.0.waiting, 4);
        assert_eq!(lane.ends("many", 1), ["many"]);
    }

    #[test]
    fn whatever_leaves_is_forgotten() {
        let mut lane = Tried::new(1, 4);
        lane.come("a", 1);
        let place = lane.0.wait(&"b".into(), "b").unwrap();
        lane.0.leave(&"b".into(), place.number);
        lane.0.leave(&"b".into(), place.number);
        assert_eq!((lane.0.waiting, lane.0.turns.len(), lane.0.callers.len()), (0, 0, 1));
        assert_eq!(lane.ends("a", 1), [""; 0]);
        assert!(lane.0.callers.is_empty());
    }
}
