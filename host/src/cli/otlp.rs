//! Spans for OpenTelemetry, sent over HTTP while the server runs.
//!
//! Plain HTTP only: to a collector on this machine or in its network. Events of the log are not sent.

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::FilterFn;
use tracing_subscriber::{Layer, Registry};

use super::failure::Failure;

/// How the service is called there.
const SERVICE: &str = "loadout";

/// Where traces go, within an endpoint.
const PATH: &str = "/v1/traces";

/// Spans are sent until this is dropped, and then what is left.
pub(super) struct Spans(SdkTracerProvider);

impl Spans {
    /// Sends spans to the collector at `endpoint`.
    pub(super) fn to(endpoint: &str) -> Result<Self, Failure> {
        let address = format!("{}{PATH}", endpoint.trim_end_matches('/'));
        let exporter = SpanExporter::builder().with_http().with_endpoint(address).build();
        let exporter =
            exporter.map_err(|error| Failure::because(format!("spans cannot be sent to `{endpoint}`"), error))?;
        let resource = Resource::builder().with_service_name(SERVICE).build();
        Ok(Self(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build()))
    }

    /// What collects the spans of this program, and nothing of the libraries it uses.
    pub(super) fn layer(&self) -> Box<dyn Layer<Registry> + Send + Sync> {
        let spans = FilterFn::new(|metadata| metadata.is_span() && metadata.target().starts_with("loadout"));
        let layer = tracing_opentelemetry::layer().with_tracer(self.0.tracer(SERVICE));
        layer.with_filter(spans.with_max_level_hint(LevelFilter::DEBUG)).boxed()
    }
}

impl Drop for Spans {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown() {
            tracing::warn!(%error, "the last spans were not sent");
        }
    }
}

/// An endpoint, as typed.
pub(super) fn endpoint(typed: &str) -> Result<String, String> {
    let host = typed.strip_prefix("http://").map(|rest| rest.trim_end_matches('/'));
    match host {
        Some(host) if !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(typed.to_owned()),
        _ => {
            Err("write it as `http://127.0.0.1:4318`; for an address with https, send to a collector nearby".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_http_is_sent_to() {
        for (typed, fits) in [
            ("http://127.0.0.1:4318", true),
            ("http://collector:4318/", true),
            ("https://collector:4318", false),
            ("127.0.0.1:4318", false),
            ("http://", false),
            ("http://a b", false),
        ] {
            assert_eq!(endpoint(typed).is_ok(), fits, "for {typed}");
        }
    }
}
