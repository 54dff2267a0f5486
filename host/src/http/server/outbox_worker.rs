//! The background worker of the outbox: puts questions to asynchronous steps as soon as they are due.

use std::sync::Arc;
use std::time::Duration;

use crate::service::{Delivered, Service};

/// How often the outbox is looked at while nothing is due.
const PAUSE: Duration = Duration::from_millis(250);

/// How long nothing is tried after the database failed.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(5);

/// Puts questions until the server is told to stop. One is put at a time.
pub(in crate::http) async fn deliver(service: Arc<Service>) {
    loop {
        let at_work = Arc::clone(&service);
        let delivered = tokio::task::spawn_blocking(move || at_work.deliver(jiff::Timestamp::now())).await;
        let pause = match delivered {
            Ok(Ok(Delivered::Nothing)) => PAUSE,
            Ok(Ok(_)) => Duration::ZERO,
            Ok(Err(error)) => {
                tracing::error!(error = crate::http::error::chain(&error), "the outbox could not be looked at");
                PAUSE_AFTER_FAILURE
            }
            Err(error) => {
                tracing::error!(%error, "a question to a step broke off");
                PAUSE_AFTER_FAILURE
            }
        };
        tokio::time::sleep(pause).await;
    }
}
