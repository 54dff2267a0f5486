//! Maps the faults of plugins to statuses and codes.

use axum::http::StatusCode;

use crate::http::problem::Refusal;

/// Seconds after which a caller that found no room may try again.
const SOON: u32 = 1;

/// The answer with the advice to come again, where that helps: after `seconds` if they are known.
pub(super) fn later(answer: Refusal, seconds: Option<u32>) -> Refusal {
    match answer.status() {
        StatusCode::SERVICE_UNAVAILABLE => answer.retry_after(seconds.unwrap_or(SOON).max(SOON)),
        _ => answer,
    }
}

/// The status of what a plugin did, and its code.
pub(super) fn of_fault(code: &str) -> (StatusCode, &'static str) {
    const INTERNAL: StatusCode = StatusCode::INTERNAL_SERVER_ERROR;
    match code {
        "plugin.timeout" => (StatusCode::GATEWAY_TIMEOUT, "plugin.timeout"),
        "plugin.busy" => (StatusCode::SERVICE_UNAVAILABLE, "plugin.busy"),
        "plugin.suspended" => (StatusCode::SERVICE_UNAVAILABLE, "plugin.suspended"),
        "plugin.memory" => (INTERNAL, "plugin.memory"),
        "plugin.host-calls" => (INTERNAL, "plugin.host-calls"),
        "plugin.output-limit" => (INTERNAL, "plugin.output-limit"),
        "plugin.log-limit" => (INTERNAL, "plugin.log-limit"),
        "plugin.trapped" => (INTERNAL, "plugin.trapped"),
        "plugin.invalid-result" => (INTERNAL, "plugin.invalid-result"),
        "plugin.not-ready" => (INTERNAL, "plugin.not-ready"),
        _ => (INTERNAL, "plugin.failed"),
    }
}
