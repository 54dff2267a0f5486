//! The trace of a caller goes on here: the headers of W3C Trace Context.
//!
//! Looked at only by a server that exports spans.

use axum::http::{HeaderMap, HeaderName};
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

/// Makes `span`, which has not begun, a part of the trace that the headers name, if they do.
pub(in crate::http) fn follow(span: &Span, headers: &HeaderMap) {
    let caller = TraceContextPropagator::new().extract(&Headers(headers));
    if let Err(error) = span.set_parent(caller) {
        tracing::debug!(%error, "the trace of the caller does not go on");
    }
}
