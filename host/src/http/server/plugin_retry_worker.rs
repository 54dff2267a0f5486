//! The background worker that tries again to load plugins that could not be made ready.

use std::sync::Arc;
use std::time::Duration;

use crate::service::Service;

/// The pause between two looks for a plugin that is to be tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// How long nothing is tried after the database failed.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(5);

/// Tries such plugins again until the server is told to stop.
pub(in crate::http) async fn retry(service: Arc<Service>) {
    loop {
        let at_work = Arc::clone(&service);
        let pause = match tokio::task::spawn_blocking(move || at_work.retry_plugins()).await {
            Ok(Ok(_)) => PAUSE,
            Ok(Err(error)) => {
                tracing::error!(error = crate::http::error::chain(&error), "plugins could not be tried again");
                PAUSE_AFTER_FAILURE
            }
            Err(error) => {
                tracing::error!(%error, "trying a plugin again broke off");
                PAUSE_AFTER_FAILURE
            }
        };
        tokio::time::sleep(pause).await;
    }
}
