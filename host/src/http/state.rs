//! What every handler can reach, and the one door to blocking work.

use std::sync::Arc;

use tracing::Span;

use crate::service::Service;

use super::auth::Token;
use super::metrics::Metrics;
use super::problem::Refusal;

/// One server.
#[derive(Clone)]
pub(super) struct App {
    pub(super) service: Arc<Service>,
    pub(super) token: Token,
    pub(super) metrics: Arc<Metrics>,
}

impl App {
    /// Runs `work` where blocking is allowed. Only this function knows that the store and the rules block.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Service) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let service = Arc::clone(&self.service);
        let span = Span::current();
        let done = tokio::task::spawn_blocking(move || span.in_scope(|| work(&service))).await;
        done.unwrap_or_else(|error| {
            tracing::error!(%error, "a request broke off");
            Err(Refusal::internal())
        })
    }
}
