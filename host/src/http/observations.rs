//! The work a server does between requests: calls that were noticed are recorded and compared when their answers are gone.

use std::sync::Arc;
use std::time::Duration;

use crate::service::Service;

/// How often noticed calls are looked at.
const PAUSE: Duration = Duration::from_millis(250);

/// Looks at calls until the server is told to stop.
pub(super) async fn observe(service: Arc<Service>) {
    loop {
        let at_work = Arc::clone(&service);
        match tokio::task::spawn_blocking(move || at_work.observe()).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::error!(error = super::error::chain(&error), "calls could not be looked at"),
            Err(error) => tracing::error!(%error, "looking at a call broke off"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}
