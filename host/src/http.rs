//! The HTTP API. The one module that names `axum`, status codes and headers.
//!
//! Handlers parse, call and render. Whatever goes wrong is `application/problem+json`; whatever blocks runs where
//! blocking is allowed. `/openapi.json` describes every route, and is made from the descriptions beside
//! the handlers.

mod access;
mod admin;
mod body;
mod capacity;
mod error;
mod etag;
mod experience;
mod export;
mod health;
mod imports;
mod items;
mod ledger;
mod metrics_page;
mod middleware;
mod openapi;
mod page;
mod plugins;
mod privileges;
mod problem;
mod query;
mod request_id;
mod revisions;
mod server;
mod state;
mod telemetry;
mod upgrades;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::service::Service;

use admin::Admin;
pub use admin::{InvalidToken, Token};
use body::contract::Contract;
use capacity::lanes::Lanes;
pub use capacity::lanes::{LaneLimits, Work};
pub use capacity::pace::Pace;
pub use capacity::room::Room;
use capacity::room::Rooms;
use capacity::strangers::Strangers;
pub(crate) use items::list::takes_filter;
pub use server::connections::Connections;
use state::{App, Open};
use telemetry::load_metrics::LoadMetrics;
use telemetry::metrics::Metrics;

/// How a server serves.
#[derive(Debug, Clone)]
pub struct Options {
    /// The admin token, which allows everything.
    pub token: Token,
    /// Longest time from request to answer.
    pub timeout: Duration,
    /// Longest time requests in flight may take to finish once the server stops.
    pub drain: Duration,
    /// Whether spans are exported: then the trace of a caller goes on in them.
    pub exports_spans: bool,
    /// Which connections there may be, and how long they may wait.
    pub connections: Connections,
    /// How slow callers may be with bodies and answers.
    pub pace: Pace,
    /// How many requests are worked on at once, and how many may wait.
    pub work: Work,
    /// Most bytes that bodies may take at once.
    pub room: Room,
}

impl Options {
    /// A server with `token` and limits for people: 30 seconds to answer, 30 seconds to finish.
    pub fn new(token: Token) -> Self {
        Self {
            token,
            timeout: Duration::from_secs(30),
            drain: Duration::from_secs(30),
            exports_spans: false,
            connections: Connections::default(),
            pace: Pace::default(),
            work: Work::default(),
            room: Room::default(),
        }
    }
}

/// A server that has its address and waits to run.
pub struct Server {
    listener: TcpListener,
    router: Router,
    drain: Duration,
    connections: Connections,
    pace: Pace,
    load: LoadMetrics,
    service: Arc<Service>,
    writer: ledger::Writer,
}

impl Server {
    /// Takes the address `listen`; port 0 takes any that is free.
    pub async fn bind(service: Arc<Service>, listen: SocketAddr, options: Options) -> io::Result<Self> {
        let load = LoadMetrics::default();
        let metrics = Arc::new(Metrics::new(service.traces(), &load));
        let (ledger, writer) = ledger::open(Arc::clone(&service), metrics.audit_lost());
        let Options { token, timeout, drain, exports_spans, connections, pace, work, room } = options;
        let app = App {
            service: Arc::clone(&service),
            admin: Admin::holding(token),
            ledger,
            look_ups: Open::of(&service, &metrics),
            metrics,
            exports_spans,
            lanes: Lanes::new(&work, &load),
            strangers: Strangers::default(),
            rooms: Rooms::new(room, load.clone()),
            pace,
        };
        let listener = TcpListener::bind(listen).await?;
        Ok(Self { listener, router: router(app, timeout), drain, connections, pace, load, service, writer })
    }

    /// The address the server listens on.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop`, then takes no new requests, finishes those in flight and writes what the audit still has to
    /// keep.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        let (written, writing) = tokio::sync::oneshot::channel();
        let writer = tokio::spawn(self.writer.run(writing));
        let (stopped, stopping) = tokio::sync::oneshot::channel();
        let service = self.service;
        // Ends with the server; a question that was being put is put again by the next.
        let _deliveries = AbortOnDrop(tokio::spawn(server::outbox_worker::deliver(Arc::clone(&service))));
        let _retries = AbortOnDrop(tokio::spawn(server::plugin_retry_worker::retry(Arc::clone(&service))));
        let _observations = AbortOnDrop(tokio::spawn(server::recording_worker::observe(Arc::clone(&service))));
        let stop = async move {
            stop.await;
            // Upgrades can be resumed from their journal later, so the stop does not wait for them.
            service.stop_upgrades();
            // The receiver is gone if the server ended on its own.
            let _ = stopped.send(());
        };
        let (connections, pace) = (self.connections, self.pace);
        let serving = server::connections::serve(self.listener, self.router, connections, pace, self.load, stop);
        let drain = self.drain;
        let overdue = async {
            match stopping.await {
                Ok(()) => tokio::time::sleep(drain).await,
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            () = serving => {}
            () = overdue => tracing::warn!("requests in flight did not finish in time and were cut off"),
        }
        drop(written);
        if let Err(error) = writer.await {
            tracing::error!(%error, "writing the audit broke off");
        }
        Ok(())
    }
}

/// A task that is aborted when its handle is dropped.
struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Every address, as it is described.
fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::empty())
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(metrics_page::metrics))
        .merge(items::collections::routes())
        .merge(items::assignments::routes())
        .merge(items::rank_and_roles::routes())
        .merge(items::default_profile::routes())
        .merge(items::copy::routes())
        .merge(items::environment::routes())
        .merge(experience::routes())
        .merge(revisions::routes())
        .merge(plugins::routes())
        .merge(plugins::recordings::routes())
        .merge(plugins::rollout::routes())
        .merge(plugins::grants::routes())
        .merge(items::trusted_publishers::routes())
        .merge(items::connectors::routes())
        .merge(plugins::secrets::routes())
        .merge(plugins::bundles::routes())
        .merge(plugins::steps::routes())
        .merge(plugins::outbox::routes())
        .merge(plugins::statistics::routes())
        .merge(plugins::traces::routes())
        .merge(imports::routes())
        .merge(upgrades::routes())
        .merge(export::routes())
        .merge(access::me::routes())
        .merge(access::access_roles::routes())
        .merge(access::tokens::routes())
        .merge(access::audit::routes())
}

fn router(app: App, timeout: Duration) -> Router {
    let (router, document) = routes().split_for_parts();
    let document = openapi::finish(document);
    let contract = Arc::new(Contract::new(document.clone()));
    let document = Bytes::from(document.to_string());
    // Made once, since strangers may ask for it as often as they like.
    let described = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::ETAG, etag::of_bytes(&document)),
    ];
    router
        .route("/openapi.json", get(|| async move { (described, document) }))
        .fallback(|| async { StatusCode::NOT_FOUND })
        .layer(from_fn_with_state((app.clone(), contract), body::contract::hold))
        .layer(from_fn(etag::conditional))
        .layer(from_fn_with_state(app.clone(), access::auth::guard))
        .layer(CatchPanicLayer::custom(middleware::request_log::panicked))
        .layer(from_fn_with_state(timeout, middleware::request_log::in_time))
        .layer(from_fn_with_state(app.clone(), middleware::request_log::observe))
        .with_state(app)
}
