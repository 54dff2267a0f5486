//! The background worker of recordings: records and compares observed calls after their answers were sent, and deletes
//! recordings that are too old.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::service::Service;

/// The longest wait for a call before the loop starts again, so that a server that stops is noticed.
const PATIENCE: Duration = Duration::from_millis(250);

/// The pause between two deletions of recordings that are too old.
const SWEEP: Duration = Duration::from_secs(60);

/// Looks at calls until the server is told to stop.
pub(in crate::http) async fn observe(service: Arc<Service>) {
    let mut swept: Option<Instant> = None;
    loop {
        let at_work = Arc::clone(&service);
        let sweep = swept.is_none_or(|swept| swept.elapsed() > SWEEP);
        let work = tokio::task::spawn_blocking(move || {
            if sweep && let Err(error) = at_work.expire_recordings(jiff::Timestamp::now()) {
                tracing::error!(error = crate::http::error::chain(&error), "old recordings could not be taken away");
            }
            at_work.observe_within(PATIENCE);
        });
        if sweep {
            swept = Some(Instant::now());
        }
        if let Err(error) = work.await {
            tracing::error!(%error, "looking at a call broke off");
        }
    }
}
