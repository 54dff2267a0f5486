//! How many calls of one plugin may run at once: all its versions share a lane, so that one on trial takes nothing from others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::slots::Slots;

/// The lanes of plugins, by name, as long as somebody holds them.
#[derive(Debug)]
pub(super) struct Lanes {
    /// How many calls each lane has room for.
    room: usize,
    known: Mutex<HashMap<String, Weak<Slots>>>,
}

impl Lanes {
    pub(super) fn new(room: usize) -> Self {
        Self { room, known: Mutex::default() }
    }

    /// The lane of a plugin.
    pub(super) fn of(&self, plugin: &str) -> Arc<Slots> {
        // What the lock guards is whole after every line.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lane) = known.get(plugin).and_then(Weak::upgrade) {
            return lane;
        }
        known.retain(|_, lane| lane.strong_count() > 0);
        let lane = Arc::new(Slots::new(self.room));
        known.insert(plugin.to_owned(), Arc::downgrade(&lane));
        lane
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn versions_of_a_plugin_share_its_lane_and_others_have_their_own() {
        let lanes = Lanes::new(1);
        let (serving, tried, other) = (lanes.of("a/b"), lanes.of("a/b"), lanes.of("a/c"));
        let taken = serving.take(Duration::ZERO);
        assert!(taken.is_some() && tried.take(Duration::ZERO).is_none());
        assert!(other.take(Duration::ZERO).is_some());
        drop(taken);
        assert!(tried.take(Duration::ZERO).is_some());
    }

    #[test]
    fn a_lane_that_nobody_holds_is_forgotten() {
        let lanes = Lanes::new(1);
        for at in 0..10 {
            drop(lanes.of(&format!("a/{at}")));
        }
        assert_eq!(lanes.known.lock().unwrap().len(), 1);
    }
}
