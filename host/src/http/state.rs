//! The state that every handler can reach, and the one way to run blocking work.

use std::sync::Arc;

use axum::body::Bytes;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tracing::Span;

use crate::domain::Revision;
use crate::domain::access::Secret;
use crate::service::Service;
use crate::store::Holder;

use super::admin::Admin;
use super::capacity::asked::{Asked, Errand};
use super::capacity::lanes::{Lane, Lanes, Turn};
use super::capacity::look_ups::LookUps;
use super::capacity::pace::Pace;
use super::capacity::room::Rooms;
use super::capacity::strangers::Strangers;
use super::ledger::Ledger;
use super::problem::Refusal;
use super::telemetry::metrics::Metrics;

/// One server.
#[derive(Clone)]
pub(super) struct App {
    pub(super) service: Arc<Service>,
    pub(super) admin: Admin,
    pub(super) ledger: Ledger,
    pub(super) metrics: Arc<Metrics>,
    pub(super) exports_spans: bool,
    pub(super) lanes: Lanes,
    pub(super) look_ups: Open,
    pub(super) strangers: Strangers,
    pub(super) rooms: Rooms,
    pub(super) pace: Pace,
}

/// The look-ups that callers without a token can cause.
#[derive(Clone)]
pub(super) struct Open {
    /// Finds the holder of a secret.
    pub(super) holder: LookUps<Secret, Result<Option<Holder>, Refusal>>,
    /// The newest revision, and how many pane tools are hidden for want of a rule.
    pub(super) newest: LookUps<(), Result<(Revision, usize), Refusal>>,
    /// All counters, as text.
    pub(super) counters: LookUps<(), Result<Bytes, Refusal>>,
}

impl Open {
    /// Looks up in the store of `service` and in `metrics`.
    pub(super) fn of(service: &Arc<Service>, metrics: &Arc<Metrics>) -> Self {
        let (of_holder, of_newest, of_counters) = (Arc::clone(service), Arc::clone(service), Arc::clone(service));
        let metrics = Arc::clone(metrics);
        Self {
            holder: LookUps::each(move |secret| Ok(of_holder.store().holder(&secret)?)),
            newest: LookUps::once(move || Ok((of_newest.store().newest()?, of_newest.count_without_rule()?))),
            counters: LookUps::once(move || Ok(metrics.render(of_counters.store().newest()?).into())),
        }
    }
}

/// Work for a lane, with the type of its result erased.
type Job = Box<dyn FnOnce(&Service, &Turn) + Send>;

impl App {
    /// Runs `work` where blocking is allowed, in the lane of what the request is there for. Only this function, its
    /// neighbours and look-ups know that the store and the rules block.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Service) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let asked = Asked::now();
        let lane = match asked.errand {
            Errand::Question => &self.lanes.usual,
            Errand::Change => &self.lanes.changes,
            Errand::Mend => &self.lanes.mends,
        };
        self.run_in(lane, &asked.by, work).await
    }

    /// The same for what may take minutes: it never takes the threads of questions and changes.
    pub(super) async fn run_long<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Service) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.run_in(&self.lanes.long, &Asked::now().by, work).await
    }

    /// The same for what is made of a large body: it takes processor time alone, and never that of the connections.
    pub(super) async fn run_body<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.run_in(&self.lanes.bodies, &Asked::now().by, |_| work()).await
    }

    async fn run_in<T: Send + 'static>(
        &self,
        lane: &Lane,
        by: &Arc<str>,
        work: impl FnOnce(&Service) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let turn = lane.turn(by).await?;
        let (tell, mut told) = oneshot::channel();
        let job: Job = Box::new(move |service, turn| {
            // Nothing was acknowledged, so nothing has to be done for a caller who has gone. Work that began is
            // finished.
            if tell.is_closed() {
                return turn.unused();
            }
            drop(tell.send(work(service)));
        });
        if let Err(error) = self.spawn(turn, job).await {
            tracing::error!(%error, "a request broke off");
        }
        told.try_recv().unwrap_or_else(|_| Err(Refusal::internal()))
    }

    /// The same for every kind of work, so that the runtime's part of it is compiled once and not once a handler.
    fn spawn(&self, turn: Turn, job: Job) -> JoinHandle<()> {
        let service = Arc::clone(&self.service);
        let span = Span::current();
        tokio::task::spawn_blocking(move || span.in_scope(|| job(&service, &turn)))
    }
}
