//! Metrics of load: connections, requests that wait for a thread, and bodies that found no room.

use std::sync::atomic::AtomicI64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// The label that names a lane.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Lane {
    lane: &'static str,
}

/// The label that names why a connection was closed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

/// The counters of load. A copy counts in the same place.
#[derive(Clone, Default)]
pub(in crate::http) struct LoadMetrics {
    open: Gauge<i64, AtomicI64>,
    closed: Family<Reason, Counter>,
    refused: Counter,
    waiting: Family<Lane, Gauge<i64, AtomicI64>>,
    work_refused: Family<Lane, Counter>,
    dropped: Family<Lane, Counter>,
    bodies_refused: Counter,
}

impl LoadMetrics {
    /// Lets `registry` show them.
    pub(in crate::http) fn register(&self, registry: &mut Registry) {
        registry.register("http_connections", "Open connections", self.open.clone());
        registry.register("http_connections_closed", "Connections the server closed, by reason", self.closed.clone());
        registry.register("http_connections_refused", "Connections there was no place for", self.refused.clone());
        registry.register("work_waiting", "Requests that wait for a thread", self.waiting.clone());
        registry.register("work_refused", "Requests refused because too many wait", self.work_refused.clone());
        registry.register("work_dropped", "Requests given up before a thread took them", self.dropped.clone());
        registry.register("bodies_refused", "Bodies there was no room for", self.bodies_refused.clone());
    }

    /// So many connections are open.
    pub(in crate::http) fn open(&self, connections: usize) {
        self.open.set(i64::try_from(connections).unwrap_or(i64::MAX));
    }

    /// The server closed a connection.
    pub(in crate::http) fn closed(&self, reason: &'static str) {
        self.closed.get_or_create(&Reason { reason }).inc();
    }

    /// There was no place for a connection.
    pub(in crate::http) fn refused(&self) {
        self.refused.inc();
    }

    /// How many requests wait for a thread of `lane`.
    pub(in crate::http) fn waiting(&self, lane: &'static str) -> Gauge<i64, AtomicI64> {
        self.waiting.get_or_create_owned(&Lane { lane })
    }

    /// How many requests were refused because too many wait for `lane`.
    pub(in crate::http) fn work_refused(&self, lane: &'static str) -> Counter {
        self.work_refused.get_or_create_owned(&Lane { lane })
    }

    /// How many requests were given up before a thread of `lane` took them.
    pub(in crate::http) fn dropped(&self, lane: &'static str) -> Counter {
        self.dropped.get_or_create_owned(&Lane { lane })
    }

    /// There was no room for a body.
    pub(in crate::http) fn body_refused(&self) {
        self.bodies_refused.inc();
    }
}
