//! The activity of a connection: it waits for its caller, has a request in flight, or has an answer that the caller
//! does not take.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::http::capacity::pace::{Pace, Patience};

use super::Connections;
use super::places::Place;

/// The reason why a caller is overdue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overdue {
    /// The next request.
    Idle,
    /// The rest of a header.
    Header,
    /// Taking the answer.
    Answer,
}

impl Overdue {
    /// The name the counters have for it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Header => "slow-header",
            Self::Answer => "slow-reader",
        }
    }
}

/// What one connection is doing. Its stream, its requests and its task tell and ask.
pub(super) struct Activity {
    place: Place,
    limits: Connections,
    doing: Mutex<Doing>,
}

struct Doing {
    in_flight: bool,
    /// When the waiting began: for the first byte of a header, or for its last.
    since: Instant,
    /// Whether that is the wait for the end of a header.
    in_header: bool,
    /// Since when the caller takes nothing of an answer.
    blocked: Option<Instant>,
    patience: Patience,
}

impl Activity {
    /// A new connection, which waits for its first request.
    pub(super) fn new(place: Place, limits: Connections, pace: Pace) -> Self {
        // A new connection has a header's time for its first byte, too.
        let patience = Patience::new(pace);
        let doing = Doing { in_flight: false, since: Instant::now(), in_header: true, blocked: None, patience };
        Self { place, limits, doing: Mutex::new(doing) }
    }

    /// Bytes came in.
    pub(super) fn received(&self) {
        let mut doing = self.doing();
        if !doing.in_flight && !doing.in_header {
            doing.in_header = true;
            doing.since = Instant::now();
        }
    }

    /// A header is whole: its request is in flight.
    pub(super) fn begins(&self) {
        let mut doing = self.doing();
        doing.in_flight = true;
        self.place.works();
    }

    /// The request is answered, or given up.
    pub(super) fn ends(&self) {
        let mut doing = self.doing();
        (doing.in_flight, doing.in_header, doing.since) = (false, false, Instant::now());
        if doing.blocked.is_none() {
            self.place.waits();
        }
    }

    /// The caller takes no more of the answer now, so there is something that would be lost.
    pub(super) fn blocked(&self) {
        let mut doing = self.doing();
        if doing.blocked.is_none() {
            doing.blocked = Some(Instant::now());
            self.place.works();
        }
    }

    /// The caller took so many bytes.
    pub(super) fn sent(&self, bytes: usize) {
        let mut doing = self.doing();
        if let Some(blocked) = doing.blocked.take() {
            doing.patience.waited(blocked.elapsed(), bytes);
            doing.since = Instant::now();
            if !doing.in_flight {
                self.place.waits();
            }
        }
    }

    /// Waits until another caller needs the place.
    pub(super) async fn asked_to_close(&self) {
        self.place.asked_to_close().await;
    }

    /// Whether nothing is lost if the connection is closed now.
    pub(super) fn gives_way(&self) -> bool {
        let doing = self.doing();
        !doing.in_flight && doing.blocked.is_none()
    }

    /// When the caller will have taken too long, and for what. Nothing while it is the server that takes its time.
    pub(super) fn overdue_at(&self) -> Option<(Instant, Overdue)> {
        let doing = self.doing();
        if let Some(blocked) = doing.blocked {
            return Some((blocked + doing.patience.left(), Overdue::Answer));
        }
        let (limit, overdue) = match doing.in_header {
            true => (self.limits.header, Overdue::Header),
            false => (self.limits.idle, Overdue::Idle),
        };
        (!doing.in_flight).then_some((doing.since + limit, overdue))
    }

    fn doing(&self) -> MutexGuard<'_, Doing> {
        self.doing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use crate::http::telemetry::load_metrics::LoadMetrics;

    use super::*;
    use crate::http::server::connections::peer::Peer;
    use crate::http::server::connections::places::Places;

    async fn connection() -> Activity {
        let limits =
            Connections { header: Duration::from_secs(10), idle: Duration::from_secs(75), ..Connections::of(1) };
        let places = Places::new(1, 1, LoadMetrics::default());
        let place = places.take(Peer::of(Ipv4Addr::LOCALHOST.into())).await.unwrap();
        Activity::new(place, limits, Pace::default())
    }

    fn waits_for(activity: &Activity) -> Option<Overdue> {
        activity.overdue_at().map(|(_, overdue)| overdue)
    }

    #[tokio::test]
    async fn each_state_has_its_time_limit() {
        let activity = connection().await;
        assert_eq!(waits_for(&activity), Some(Overdue::Header), "also for the first byte");
        activity.begins();
        assert_eq!((waits_for(&activity), activity.gives_way()), (None, false));
        activity.blocked();
        assert_eq!(waits_for(&activity), Some(Overdue::Answer));
        activity.ends();
        assert_eq!((waits_for(&activity), activity.gives_way()), (Some(Overdue::Answer), false), "it is not taken yet");
        activity.sent(1);
        assert_eq!((waits_for(&activity), activity.gives_way()), (Some(Overdue::Idle), true));
        activity.received();
        assert_eq!((waits_for(&activity), activity.gives_way()), (Some(Overdue::Header), true));
    }

    #[tokio::test]
    async fn a_place_is_kept_until_the_answer_is_taken() {
        let (places, peer) = (Places::new(1, 1, LoadMetrics::default()), Peer::of(Ipv4Addr::LOCALHOST.into()));
        let activity = Activity::new(places.take(peer).await.unwrap(), Connections::of(1), Pace::default());
        activity.begins();
        activity.ends();
        activity.blocked();
        assert!(places.take(peer).await.is_none(), "no connection is asked that would not close");
        activity.sent(1);
        let (taken, ()) = tokio::join!(places.take(peer), async {
            activity.asked_to_close().await;
            assert!(activity.gives_way());
            drop(activity);
        });
        assert!(taken.is_some());
    }

    #[tokio::test]
    async fn more_bytes_of_a_header_give_no_more_time() {
        let activity = connection().await;
        activity.begins();
        activity.ends();
        activity.received();
        let first = activity.overdue_at();
        activity.received();
        assert_eq!(activity.overdue_at(), first);
    }
}
