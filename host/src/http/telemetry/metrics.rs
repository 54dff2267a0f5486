//! The counters that Prometheus reads. Each server has its own; nothing is global.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::domain::Revision;
use crate::store::TraceLog;

use super::call_metrics::Calls;
use super::load_metrics::LoadMetrics;

/// Upper bounds of the latency histogram, in seconds: a memoised answer takes a fraction of a millisecond.
const BUCKETS: &[f64] = &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The labels of a request: method and route.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    method: &'static str,
    route: String,
}

/// The labels of an answer: method, route and status.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: String,
    status: u16,
}

/// The label that names why a call was denied.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Denied {
    reason: &'static str,
}

/// Makes the histogram of a route that is asked for the first time.
#[derive(Debug, Clone)]
struct Seconds;

impl MetricConstructor<Histogram> for Seconds {
    fn new_metric(&self) -> Histogram {
        Histogram::new(BUCKETS.iter().copied())
    }
}

/// The counters of one server.
pub(in crate::http) struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    seconds: Family<Asked, Histogram, Seconds>,
    denied: Family<Denied, Counter>,
    audit_lost: Counter,
    revision: Gauge<u64, AtomicU64>,
}

impl Metrics {
    /// The counters of a server whose plugin calls are recorded in `traces`, with those of its `load`.
    pub(in crate::http) fn new(traces: Option<&Arc<TraceLog>>, load: &LoadMetrics) -> Self {
        let mut registry = Registry::with_prefix("loadout");
        let (requests, seconds) = (Family::default(), Family::new_with_constructor(Seconds));
        let revision = Gauge::default();
        registry.register("http_requests", "Requests answered", Family::clone(&requests));
        registry.register_with_unit(
            "http_request",
            "Time from request to answer",
            Unit::Seconds,
            Family::clone(&seconds),
        );
        let (denied, audit_lost) = (Family::default(), Counter::default());
        registry.register("denied_calls", "Calls that were denied, by reason", Family::clone(&denied));
        registry.register("audit_lost", "Denied calls that the audit could not keep", Counter::clone(&audit_lost));
        registry.register("revision", "The newest revision of the configuration", Gauge::clone(&revision));
        load.register(&mut registry);
        if let Some(traces) = traces {
            registry.register_collector(Box::new(Calls(Arc::clone(traces))));
        }
        Self { registry, requests, seconds, denied, audit_lost, revision }
    }

    /// Counts one answer. `route` is the pattern, never the address, so that the series stay few.
    pub(in crate::http) fn count(&self, method: &'static str, route: String, status: u16, took: Duration) {
        self.seconds.get_or_create(&Asked { method, route: route.clone() }).observe(took.as_secs_f64());
        self.requests.get_or_create(&Answered { method, route, status }).inc();
    }

    /// Counts a call that was denied.
    pub(in crate::http) fn denied(&self, reason: &'static str) {
        self.denied.get_or_create(&Denied { reason }).inc();
    }

    /// Counts denied calls that the audit could not keep.
    pub(in crate::http) fn audit_lost(&self) -> Counter {
        self.audit_lost.clone()
    }

    /// All counters as text, with the newest `revision`.
    pub(in crate::http) fn render(&self, revision: Revision) -> String {
        self.revision.set(revision.0);
        let mut written = String::new();
        // Writing to a text fails only where a metric fails to describe itself, and none here can.
        let _ = text::encode(&mut written, &self.registry);
        written
    }
}
