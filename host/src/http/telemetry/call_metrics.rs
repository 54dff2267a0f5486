//! Metrics of plugin calls for Prometheus: the counts of the call log since the server started.
//!
//! Labels are the plugins and versions that were called, so there are as few as are installed.

use std::collections::BTreeMap;
use std::fmt::Error;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use crate::domain::trace::{Histogram, Tally};
use crate::store::TraceLog;

/// Reads the counts of a log whenever Prometheus asks.
#[derive(Debug)]
pub(in crate::http) struct Calls(pub(in crate::http) Arc<TraceLog>);

/// The plugin and version that were called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
struct Asked {
    plugin: String,
    version: String,
}

/// The plugin and version that were called, and the outcome.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    plugin: String,
    version: String,
    outcome: &'static str,
}

/// A histogram of a tally, with its name, its help and the number of counted values that make one unit.
struct Shown {
    name: &'static str,
    help: &'static str,
    unit: Unit,
    per_unit: f64,
    bounds: &'static [u64],
    of: fn(&Tally) -> &Histogram,
}

const SHOWN: [Shown; 3] = [
    Shown {
        name: "plugin_instantiate",
        help: "Time until the instance of a call was there",
        unit: Unit::Seconds,
        per_unit: 1e6,
        bounds: Tally::MICROS,
        of: |tally| &tally.instantiate_micros,
    },
    Shown {
        name: "plugin_run",
        help: "Time from an instance to its answer",
        unit: Unit::Seconds,
        per_unit: 1e6,
        bounds: Tally::MICROS,
        of: |tally| &tally.run_micros,
    },
    Shown {
        name: "plugin_peak_memory",
        help: "Memory of a call at its largest",
        unit: Unit::Bytes,
        per_unit: 1.0,
        bounds: Tally::BYTES,
        of: |tally| &tally.peak_memory,
    },
];

impl Collector for Calls {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let mut tallies: BTreeMap<Asked, Tally> = BTreeMap::new();
        for statistics in self.0.totals() {
            let asked = Asked { plugin: statistics.plugin, version: statistics.version };
            tallies.entry(asked).or_default().merge(&statistics.since_start);
        }
        let mut calls = encoder.encode_descriptor("plugin_calls", "Calls of plugins", None, MetricType::Counter)?;
        for (Asked { plugin, version }, tally) in &tallies {
            for (outcome, count) in &tally.outcomes {
                let (plugin, version, outcome) = (plugin.clone(), version.clone(), outcome.as_str());
                ConstCounter::new(*count).encode(calls.encode_family(&Ended { plugin, version, outcome })?)?;
            }
        }
        for Shown { name, help, unit, per_unit, bounds, of } in &SHOWN {
            let mut series = encoder.encode_descriptor(name, help, Some(unit), MetricType::Histogram)?;
            for (asked, tally) in &tallies {
                let histogram = of(tally);
                let buckets = buckets(histogram, bounds, *per_unit);
                let sum = float(histogram.sum) / per_unit;
                series.encode_family(asked)?.encode_histogram::<NoLabelSet>(sum, histogram.count, &buckets, None)?;
            }
        }
        let help = "Records of calls that were not kept, because they came too fast or could not be written";
        let dropped = encoder.encode_descriptor("trace_rows_dropped", help, None, MetricType::Counter)?;
        ConstCounter::new(self.0.dropped()).encode(dropped)?;
        let help = "Records of calls that wait to be written";
        let queued = encoder.encode_descriptor("trace_queue_length", help, None, MetricType::Gauge)?;
        ConstGauge::new(i64::try_from(self.0.queued()).unwrap_or(i64::MAX)).encode(queued)
    }
}

/// Each upper bound with how many values lie below it and above the one before.
fn buckets(histogram: &Histogram, bounds: &[u64], per_unit: f64) -> Vec<(f64, u64)> {
    let mut buckets: Vec<(f64, u64)> = bounds
        .iter()
        .map(|bound| (float(*bound) / per_unit, histogram.up_to.get(bound).copied().unwrap_or_default()))
        .collect();
    let below: u64 = buckets.iter().map(|(_, count)| count).sum();
    buckets.push((f64::INFINITY, histogram.count.saturating_sub(below)));
    buckets
}

#[expect(clippy::cast_precision_loss, reason = "a chart needs no more than 53 bits")]
fn float(count: u64) -> f64 {
    count as f64
}
