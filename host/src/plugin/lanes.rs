//! How many calls of one plugin may run at once: all its versions of one weight share a lane, so that one on trial takes nothing from others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::slots::Slots;
use super::weight::Weight;

/// The lanes of plugins, by name and weight, as long as somebody holds them.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    known: Mutex<HashMap<(String, Weight), Weak<Slots>>>,
}

impl Lanes {
    /// The lane of a plugin's components of a weight, with room for so many calls if nobody holds it yet.
    pub(super) fn of(&self, plugin: &str, weight: Weight, room: u32) -> Arc<Slots> {
        // What the lock guards is whole after every line.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (plugin.to_owned(), weight);
        if let Some(lane) = known.get(&key).and_then(Weak::upgrade) {
            return lane;
        }
        known.retain(|_, lane| lane.strong_count() > 0);
        let lane = Arc::new(Slots::new(usize::try_from(room).unwrap_or(usize::MAX)));
        known.insert(key, Arc::downgrade(&lane));
        lane
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn versions_of_a_plugin_share_its_lane_and_others_have_their_own() {
        let lanes = Lanes::default();
        let of = |plugin| lanes.of(plugin, Weight::Light, 1);
        let (serving, tried, other) = (of("a/b"), of("a/b"), of("a/c"));
        let taken = serving.take(Duration::ZERO);
        assert!(taken.is_some() && tried.take(Duration::ZERO).is_none());
        assert!(other.take(Duration::ZERO).is_some());
        let heavy = lanes.of("a/b", Weight::Heavy, 1);
        assert!(heavy.take(Duration::ZERO).is_some(), "it takes nothing from those of another weight");
        drop(taken);
        assert!(tried.take(Duration::ZERO).is_some());
    }

    #[test]
    fn a_lane_that_nobody_holds_is_forgotten() {
        let lanes = Lanes::default();
        for at in 0..10 {
            drop(lanes.of(&format!("a/{at}"), Weight::Light, 1));
        }
        assert_eq!(lanes.known.lock().unwrap().len(), 1);
    }
}
