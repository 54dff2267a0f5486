//! What every handler can reach, and the one door to blocking work.

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tracing::Span;

use crate::service::Service;

use super::auth::Admin;
use super::ledger::Ledger;
use super::metrics::Metrics;
use super::problem::Refusal;

/// One server.
#[derive(Clone)]
pub(super) struct App {
    pub(super) service: Arc<Service>,
    pub(super) admin: Admin,
    pub(super) ledger: Ledger,
    pub(super) metrics: Arc<Metrics>,
    pub(super) exports_spans: bool,
}

/// Work whose type nobody needs to know any more.
type Job = Box<dyn FnOnce(&Service) + Send>;

impl App {
    /// Runs `work` where blocking is allowed. Only this function knows that the store and the rules block.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Service) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let (tell, mut told) = oneshot::channel();
        // Nobody listens any more if the request was given up; the work is done all the same.
        let job: Job = Box::new(move |service| drop(tell.send(work(service))));
        if let Err(error) = self.spawn(job).await {
            tracing::error!(%error, "a request broke off");
        }
        told.try_recv().unwrap_or_else(|_| Err(Refusal::internal()))
    }

    /// The same for every kind of work, so that the runtime's part of it is compiled once and not once a handler.
    fn spawn(&self, job: Job) -> JoinHandle<()> {
        let service = Arc::clone(&self.service);
        let span = Span::current();
        tokio::task::spawn_blocking(move || span.in_scope(|| job(&service)))
    }
}
