//! Chooses which records of successful calls are kept when there are too many.
//!
//! In each second the first ones are kept, then every tenth stands for ten, every hundredth for a hundred, and so on:
//! the records stay few, and the number of calls they stand for stays true to about a tenth.

use std::collections::BTreeMap;

use crate::domain::trace::Component;

/// The number of successful calls of each plugin in its current second.
#[derive(Debug, Default)]
pub(super) struct Sampler(BTreeMap<String, (i64, u32)>);

impl Sampler {
    /// Returns how many calls the record of this one stands for; `None` if it is not kept. `rate` is the number of
    /// calls a second whose records are all kept.
    pub(super) fn weight(&mut self, component: &Component, at: jiff::Timestamp, rate: u32) -> Option<u32> {
        let second = at.as_second();
        let count = match self.0.get_mut(&component.plugin) {
            Some((known, count)) if *known == second => {
                *count = count.saturating_add(1);
                *count
            }
            Some(known) => {
                *known = (second, 1);
                1
            }
            None => {
                self.0.insert(component.plugin.clone(), (second, 1));
                1
            }
        };
        weight(count, rate)
    }
}

fn weight(count: u32, rate: u32) -> Option<u32> {
    if rate == 0 {
        return None;
    }
    let mut stands_for: u32 = 1;
    while count > rate.saturating_mul(stands_for) && stands_for < 1_000_000 {
        stands_for *= 10;
    }
    count.is_multiple_of(stands_for).then_some(stands_for)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_faster_calls_come_the_more_each_record_stands_for() {
        for (calls, rate, kept, estimated) in [
            (20, 20, 20, 20),
            (25, 20, 20, 20),
            (200, 20, 38, 200),
            (2_000, 20, 56, 2_000),
            (30, 0, 0, 0),
            (7, 1, 1, 1),
        ] {
            let weights: Vec<u32> = (1..=calls).filter_map(|count| weight(count, rate)).collect();
            assert_eq!((weights.len(), weights.iter().sum::<u32>()), (kept, estimated), "{calls} at {rate} a second");
        }
    }

    #[test]
    fn each_plugin_and_each_second_begins_anew() {
        let mut sampler = Sampler::default();
        let [one, other] = ["a/b", "a/c"].map(|plugin| Component { plugin: plugin.to_owned(), ..Component::default() });
        let at = |second| jiff::Timestamp::from_second(second).unwrap();
        let kept = [(&one, 1), (&one, 1), (&other, 1), (&one, 2)];
        let kept = kept.map(|(component, second)| sampler.weight(component, at(second), 1));
        assert_eq!(kept, [Some(1), None, Some(1), Some(1)]);
    }
}
