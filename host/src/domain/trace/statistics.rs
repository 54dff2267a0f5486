//! Exact counts of calls: by outcome, with sums and small histograms of the resources they used.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{CallTrace, Outcome};

/// The counts of many calls together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CallTally)]
pub struct Tally {
    /// The number of calls by outcome.
    #[schema(value_type = BTreeMap<String, u64>)]
    pub outcomes: BTreeMap<Outcome, u64>,
    /// Microseconds until an instance was ready.
    pub instantiate_micros: Histogram,
    /// Microseconds from then to the answer.
    pub run_micros: Histogram,
    /// Bytes of memory at its largest.
    pub peak_memory: Histogram,
}

/// A histogram: the number of values by size.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CallHistogram)]
pub struct Histogram {
    /// The number of values.
    pub count: u64,
    /// The sum of all values.
    pub sum: u64,
    /// The number of values up to each bound, and above the bound before. A value above every bound is only in `count`.
    #[schema(value_type = BTreeMap<String, u64>)]
    pub up_to: BTreeMap<u64, u64>,
}

impl Tally {
    /// Upper bounds of times, in microseconds.
    pub const MICROS: &[u64] =
        &[50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 1_000_000, 10_000_000];

    /// Upper bounds of memory, in bytes.
    pub const BYTES: &[u64] = &[1 << 20, 2 << 20, 4 << 20, 8 << 20, 16 << 20, 32 << 20, 64 << 20];

    /// Counts one call.
    pub fn add(&mut self, trace: &CallTrace) {
        *self.outcomes.entry(trace.outcome).or_default() += 1;
        // No plugin was called, so no resource was used.
        if !matches!(trace.outcome, Outcome::Busy | Outcome::Suspended) {
            self.instantiate_micros.add(Self::MICROS, trace.usage.instantiate_micros);
            self.run_micros.add(Self::MICROS, trace.usage.run_micros);
            self.peak_memory.add(Self::BYTES, trace.usage.peak_memory);
        }
    }

    /// Adds the counts of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (outcome, count) in &other.outcomes {
            *self.outcomes.entry(*outcome).or_default() += count;
        }
        self.instantiate_micros.merge(&other.instantiate_micros);
        self.run_micros.merge(&other.run_micros);
        self.peak_memory.merge(&other.peak_memory);
    }
}

impl Histogram {
    fn add(&mut self, bounds: &[u64], value: u64) {
        self.count += 1;
        self.sum = self.sum.saturating_add(value);
        if let Some(bound) = bounds.iter().find(|bound| value <= **bound) {
            *self.up_to.entry(*bound).or_default() += 1;
        }
    }

    fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.sum = self.sum.saturating_add(other.sum);
        for (bound, count) in &other.up_to {
            *self.up_to.entry(*bound).or_default() += count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_counted_under_the_first_bound_it_does_not_exceed() {
        let (mut one, mut other) = (Histogram::default(), Histogram::default());
        for value in [0, 50, 51] {
            one.add(Tally::MICROS, value);
        }
        other.add(Tally::MICROS, u64::MAX);
        one.merge(&other);
        assert_eq!((one.count, one.sum), (4, u64::MAX), "a sum ends where numbers do");
        assert_eq!(one.up_to, BTreeMap::from([(50, 2), (100, 1)]));
        let json = serde_json::to_string(&one).unwrap();
        assert_eq!(serde_json::from_str::<Histogram>(&json).unwrap(), one, "{json}");
    }
}
