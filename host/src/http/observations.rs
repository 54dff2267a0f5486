//! The work a server does between requests: calls that were noticed are recorded and compared when their answers are gone.

use std::sync::Arc;
use std::time::Duration;

use crate::service::Service;

/// How long a call is waited for before somebody asks whether the server still runs.
const PATIENCE: Duration = Duration::from_millis(250);

/// How long nothing is tried after the database failed.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(5);

/// Looks at calls until the server is told to stop.
pub(super) async fn observe(service: Arc<Service>) {
    loop {
        let at_work = Arc::clone(&service);
        match tokio::task::spawn_blocking(move || at_work.observe_within(PATIENCE)).await {
            Ok(Ok(_)) => continue,
            Ok(Err(error)) => tracing::error!(error = super::error::chain(&error), "calls could not be looked at"),
            Err(error) => tracing::error!(%error, "looking at a call broke off"),
        }
        tokio::time::sleep(PAUSE_AFTER_FAILURE).await;
    }
}
