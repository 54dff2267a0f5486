//! Connections: accepted, served and closed, so that no caller keeps others out.
//!
//! There are only so many places, in all and for one address. Where they are taken, the connection that has been idle
//! or has been sending its header for the longest gives its place to the new caller; one with a request in flight never
//! does. If all are in flight, the new caller is told when to come again. A header, a pause between requests and an
//! answer that is not taken have time limits. HTTP/1.1 only: there is no HTTP/2 here, and so none of its floods.

mod activity;
mod answering;
mod full;
mod peer;
mod places;
mod stream;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::{Sleep, sleep};

use crate::http::capacity::pace::Pace;
use crate::http::telemetry::load_metrics::LoadMetrics;

use activity::{Activity, Overdue};
use answering::Answering;
use full::TurnedAway;
use peer::Peer;
use places::{Place, Places};
use stream::Stream;

/// Most bytes of a header, and of what is kept of an answer that the caller does not take.
const BUFFER: usize = 64 * 1024;

/// How long nothing is accepted after the system had no descriptor or no memory left.
const AFTER_TROUBLE: Duration = Duration::from_millis(100);

/// How many connections that wait are closed then.
const MADE_FREE: usize = 8;

/// The pause between two lines of the log about it.
const COMPLAINT: Duration = Duration::from_secs(10);

/// The limits of connections: how many there may be, and how long they may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    /// Most connections.
    pub all: usize,
    /// Most connections of one address. All addresses of an IPv6 network (`/64`) are one.
    pub per_address: usize,
    /// Longest time from the first byte of a header to its last. A new connection has as long for its first byte.
    pub header: Duration,
    /// Longest time from one request to the next.
    pub idle: Duration,
}

impl Default for Connections {
    fn default() -> Self {
        Self::of(1024)
    }
}

impl Connections {
    /// At most `all` connections, a quarter of them of one address; 10 seconds for a header, 75 between requests.
    #[must_use]
    pub fn of(all: usize) -> Self {
        let (header, idle) = (Duration::from_secs(10), Duration::from_secs(75));
        Self { all, per_address: all.div_ceil(4), header, idle }
    }
}

/// The phase of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Serving,
    /// The server stops: requests in flight are finished, and no others are taken.
    Draining,
}

/// Serves `router` until `stop`, and then until what is in flight is finished. Dropping the future ends all
/// connections.
pub(in crate::http) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Connections,
    pace: Pace,
    metrics: LoadMetrics,
    stop: impl Future<Output = ()>,
) {
    let (phase, watched) = watch::channel(Phase::Serving);
    // Each connection holds a sender, so nothing is left when the receiver says so.
    let (open, mut all_gone) = mpsc::channel::<()>(1);
    let places = Places::new(limits.all, limits.per_address, metrics.clone());
    let turned_away = TurnedAway::new();
    let accepting = async {
        let mut complained: Option<Instant> = None;
        loop {
            let (stream, address) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) if is_of_the_caller(&error) => continue,
                Err(error) => {
                    if complained.is_none_or(|at| at.elapsed() > COMPLAINT) {
                        complained = Some(Instant::now());
                        tracing::error!(%error, "no connection can be accepted: those that wait are closed");
                    }
                    places.free(MADE_FREE);
                    sleep(AFTER_TROUBLE).await;
                    continue;
                }
            };
            let Some(place) = places.take(Peer::of(address.ip())).await else {
                metrics.refused();
                turned_away.tell(stream);
                continue;
            };
            tracing::trace!(%address, "accepted a connection");
            let carrying =
                Carrying { limits, pace, metrics: metrics.clone(), watched: watched.clone(), open: open.clone() };
            tokio::spawn(carrying.carry(stream, address, place, router.clone()));
        }
    };
    tokio::select! {
        () = accepting => {}
        () = stop => {}
    }
    drop((listener, open));
    // The send fails only if no connection is left.
    let _ = phase.send(Phase::Draining);
    let _ = all_gone.recv().await;
}

/// Tells whether accepting failed because of the caller, so that the next connection may be accepted.
fn is_of_the_caller(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// What a connection needs to know of its server.
struct Carrying {
    limits: Connections,
    pace: Pace,
    metrics: LoadMetrics,
    watched: watch::Receiver<Phase>,
    open: mpsc::Sender<()>,
}

impl Carrying {
    /// Answers the requests of one connection, until it ends or is closed.
    async fn carry(self, stream: TcpStream, address: SocketAddr, place: Place, router: Router) {
        let Self { limits, pace, metrics, mut watched, open } = self;
        // An answer goes out at once. A system that cannot do so sends it a little later.
        let _ = stream.set_nodelay(true);
        let activity = Arc::new(Activity::new(place, limits, pace));
        let io = TokioIo::new(Stream::new(stream, Arc::clone(&activity)));
        let served = http1::Builder::new()
            .max_buf_size(BUFFER)
            .max_header_size(BUFFER)
            .serve_connection(io, Answering::new(router, Arc::clone(&activity)));
        let (mut served, mut alarm) = (pin!(served), pin!(sleep(limits.header)));
        let reason = loop {
            let done = std::future::poll_fn(|context| {
                if let Poll::Ready(ended) = served.as_mut().poll(context) {
                    if let Err(error) = ended {
                        tracing::debug!(%error, %address, "a connection broke off");
                    }
                    return Poll::Ready(None);
                }
                overdue(&activity, alarm.as_mut(), context).map(Some)
            });
            tokio::select! {
                overdue = done => break overdue.map(Overdue::as_str),
                () = activity.asked_to_close() => {
                    if activity.gives_way() {
                        break Some("made-room");
                    }
                    // Its request came just now: it is answered, and the connection is closed then.
                    served.as_mut().graceful_shutdown();
                }
                changed = watched.changed() => {
                    // A server that is gone waits for nothing, and one that stops for no new request.
                    if changed.is_err() || activity.gives_way() {
                        break None;
                    }
                    served.as_mut().graceful_shutdown();
                }
            }
        };
        if let Some(reason) = reason {
            metrics.closed(reason);
        }
        drop(open);
    }
}

/// Whether the connection waited too long for what its caller does next. Looked at whenever something happened, since
/// that may have moved the moment.
fn overdue(activity: &Activity, mut alarm: std::pin::Pin<&mut Sleep>, context: &mut Context<'_>) -> Poll<Overdue> {
    let Some((at, overdue)) = activity.overdue_at() else { return Poll::Pending };
    let at = tokio::time::Instant::from_std(at);
    if alarm.deadline() != at {
        alarm.as_mut().reset(at);
    }
    alarm.poll(context).map(|()| overdue)
}
