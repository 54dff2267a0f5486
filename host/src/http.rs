//! The HTTP API. The one module that names `axum`, status codes and headers.
//!
//! Handlers parse, call and render. Whatever goes wrong is `application/problem+json`; whatever blocks runs where
//! blocking is allowed. `/openapi.json` describes every route, and is made from the descriptions beside
//! the handlers.

mod access_roles;
mod answer_headers;
mod asked;
mod assignments;
mod attribute;
mod audit;
mod auth;
mod body;
mod bundles;
mod call_metrics;
mod collections;
mod connections;
mod connectors;
mod contract;
mod copy;
mod default_profile;
mod deletion;
mod deliveries;
mod document;
mod environment;
mod error;
mod etag;
mod experience;
mod export;
mod filter;
mod grants;
mod health;
mod imports;
mod items;
mod lanes;
mod ledger;
mod list;
mod load_metrics;
mod look_ups;
mod me;
mod metrics;
mod named_settings;
mod number;
mod observations;
mod observe;
mod openapi;
mod order;
mod outbox;
mod pace;
mod page;
mod plugins;
mod privileges;
mod problem;
mod query;
mod rank_and_roles;
mod recordings;
mod retries;
mod revisions;
mod rollout;
mod room;
mod secrets;
mod state;
mod statistics;
mod steps;
mod strangers;
mod tokens;
mod trace_parent;
mod traces;
mod trusted_publishers;
mod unambiguous;
mod upgrades;
mod view;

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

use auth::Admin;
pub use auth::{InvalidToken, Token};
pub use connections::Connections;
use contract::Contract;
use lanes::Lanes;
pub use lanes::{LaneLimits, Work};
pub(crate) use list::takes_filter;
use load_metrics::LoadMetrics;
use metrics::Metrics;
pub use pace::Pace;
pub use room::Room;
use room::Rooms;
use state::{App, Open};
use strangers::Strangers;

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

    /// Serves until `stop`, then takes no new requests, finishes those in flight and writes what the audit still has to keep.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        let (written, writing) = tokio::sync::oneshot::channel();
        let writer = tokio::spawn(self.writer.run(writing));
        let (stopped, stopping) = tokio::sync::oneshot::channel();
        let service = self.service;
        // Ends with the server; a question that was being put is put again by the next.
        let _deliveries = AbortOnDrop(tokio::spawn(deliveries::deliver(Arc::clone(&service))));
        let _retries = AbortOnDrop(tokio::spawn(retries::retry(Arc::clone(&service))));
        let _observations = AbortOnDrop(tokio::spawn(observations::observe(Arc::clone(&service))));
        let stop = async move {
            stop.await;
            // Upgrades go on from their journal another time; nobody should wait for them now.
            service.stop_upgrades();
            // Nobody listens any more if the server ended on its own.
            let _ = stopped.send(());
        };
        let (connections, pace) = (self.connections, self.pace);
        let serving = connections::serve(self.listener, self.router, connections, pace, self.load, stop);
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

/// A task that ends when nobody needs it any more.
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
        .routes(routes!(metrics::metrics))
        .merge(collections::routes())
        .merge(assignments::routes())
        .merge(rank_and_roles::routes())
        .merge(default_profile::routes())
        .merge(copy::routes())
        .merge(environment::routes())
        .merge(experience::routes())
        .merge(revisions::routes())
        .merge(plugins::routes())
        .merge(recordings::routes())
        .merge(rollout::routes())
        .merge(grants::routes())
        .merge(trusted_publishers::routes())
        .merge(connectors::routes())
        .merge(secrets::routes())
        .merge(bundles::routes())
        .merge(steps::routes())
        .merge(outbox::routes())
        .merge(statistics::routes())
        .merge(traces::routes())
        .merge(imports::routes())
        .merge(upgrades::routes())
        .merge(export::routes())
        .merge(me::routes())
        .merge(access_roles::routes())
        .merge(tokens::routes())
        .merge(audit::routes())
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
        .layer(from_fn_with_state((app.clone(), contract), contract::hold))
        .layer(from_fn(etag::conditional))
        .layer(from_fn_with_state(app.clone(), auth::guard))
        .layer(CatchPanicLayer::custom(observe::panicked))
        .layer(from_fn_with_state(timeout, observe::in_time))
        .layer(from_fn_with_state(app.clone(), observe::observe))
        .with_state(app)
}
