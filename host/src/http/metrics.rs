//! What Prometheus reads. Each server counts for itself; nothing is global.

use std::time::Duration;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use metrics::{counter, gauge, histogram, with_local_recorder};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusRecorder};

use super::problem::Refusal;
use super::state::App;

const REQUESTS: &str = "loadout_http_requests_total";
const SECONDS: &str = "loadout_http_request_seconds";
const REVISION: &str = "loadout_revision";

/// Upper bounds of the latency histogram, in seconds: a memoised answer takes a fraction of a millisecond.
const BUCKETS: &[f64] = &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The counters of one server.
pub(super) struct Metrics {
    recorder: PrometheusRecorder,
}

impl Metrics {
    pub(super) fn new() -> Result<Self, BuildError> {
        let recorder = PrometheusBuilder::new().set_buckets(BUCKETS)?.build_recorder();
        with_local_recorder(&recorder, || {
            metrics::describe_counter!(REQUESTS, "Requests answered.");
            metrics::describe_histogram!(SECONDS, metrics::Unit::Seconds, "Time from request to answer.");
            metrics::describe_gauge!(REVISION, "The newest revision of the configuration.");
        });
        Ok(Self { recorder })
    }

    /// Counts one answer. `route` is the pattern, never the address, so that the series stay few.
    pub(super) fn count(&self, method: &'static str, route: String, status: u16, took: Duration) {
        with_local_recorder(&self.recorder, || {
            let (named, status) = (route.clone(), status.to_string());
            counter!(REQUESTS, "method" => method, "route" => route, "status" => status).increment(1);
            histogram!(SECONDS, "method" => method, "route" => named).record(took);
        });
    }

    /// Moves what was recorded into the buckets, so that it does not pile up between two readings.
    pub(super) fn settle(&self) {
        self.recorder.handle().run_upkeep();
    }

    fn render(&self, revision: u64) -> String {
        // A float holds every revision this side of 2^53.
        with_local_recorder(&self.recorder, || gauge!(REVISION).set(revision as f64));
        self.recorder.handle().render()
    }
}

/// What Prometheus reads.
#[utoipa::path(get, path = "/metrics", tag = "operation", security(()), responses(
    (status = 200, description = "Counters in the text format of Prometheus.", body = String, content_type = "text/plain"),
))]
pub(super) async fn metrics(State(app): State<App>) -> Result<impl IntoResponse, Refusal> {
    let revision = app.run(|service| Ok(service.store().newest()?)).await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], app.metrics.render(revision.0)))
}
