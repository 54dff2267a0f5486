//! The places for connections: which connection has one, which waits in it, and which gives it up for a new caller.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::http::telemetry::load_metrics::LoadMetrics;

use super::peer::Peer;

/// How long a new caller is kept waiting for the place of a connection that is being closed.
const PATIENCE: Duration = Duration::from_secs(1);

/// All places.
pub(super) struct Places {
    table: Mutex<Table>,
    /// A place became free, or was not given up after all.
    changed: Notify,
    metrics: LoadMetrics,
}

/// One place, until it is dropped.
pub(super) struct Place {
    places: Arc<Places>,
    id: u64,
    close: Arc<Notify>,
}

impl Places {
    /// Room for `all` connections, and for `per_peer` of one peer.
    pub(super) fn new(all: usize, per_peer: usize, metrics: LoadMetrics) -> Arc<Self> {
        let table = Table { all: all.max(1), per_peer: per_peer.max(1), ..Table::default() };
        Arc::new(Self { table: Mutex::new(table), changed: Notify::new(), metrics })
    }

    /// A place for `peer`. If there is none, one that waits is closed for it, of the peer that has the most. Nothing if
    /// none waits.
    pub(super) async fn take(self: &Arc<Self>, peer: Peer) -> Option<Place> {
        let taking = async {
            loop {
                let changed = self.changed.notified();
                match self.enter(peer) {
                    Entry::Entered(id, close) => return Some(Place { places: Arc::clone(self), id, close }),
                    Entry::Later => changed.await,
                    Entry::Full => return None,
                }
            }
        };
        tokio::time::timeout(PATIENCE, taking).await.ok().flatten()
    }

    fn enter(&self, peer: Peer) -> Entry {
        let mut table = self.lock();
        let entry = table.enter(peer);
        self.metrics.open(table.open.len());
        entry
    }

    /// Closes up to `number` connections that wait, those first of peers that have many.
    pub(super) fn free(&self, number: usize) {
        let mut table = self.lock();
        for _ in 0..number {
            let largest = table.largest();
            table.close_longest(largest);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Waits until the connection is asked to close.
    pub(super) async fn asked_to_close(&self) {
        self.close.notified().await;
    }

    /// The connection waits for its caller from now on.
    pub(super) fn waits(&self) {
        self.places.lock().waits(self.id);
    }

    /// The connection has a request in flight from now on, and keeps its place.
    pub(super) fn works(&self) {
        if self.places.lock().works(self.id) {
            self.places.changed.notify_waiters();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut table = self.places.lock();
        table.leave(self.id);
        self.places.metrics.open(table.open.len());
        drop(table);
        self.places.changed.notify_waiters();
    }
}

/// What came of asking for a place.
enum Entry {
    /// It is there.
    Entered(u64, Arc<Notify>),
    /// Another connection is being closed for it.
    Later,
    /// No connection can be closed.
    Full,
}

/// The connections that have a place.
#[derive(Default)]
struct Table {
    all: usize,
    per_peer: usize,
    next: u64,
    open: HashMap<u64, Holder>,
    peers: HashMap<Peer, AtPeer>,
    /// How many were asked to close.
    closing: usize,
}

struct Holder {
    peer: Peer,
    close: Arc<Notify>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// For its caller, since this turn.
    Waiting(u64),
    Working,
    /// It waited and was asked to close.
    Closing,
}

/// Those of one peer.
#[derive(Default)]
struct AtPeer {
    open: usize,
    closing: usize,
    /// Which wait, by the turn in which the waiting began.
    waiting: BTreeMap<u64, u64>,
}

impl Table {
    fn enter(&mut self, peer: Peer) -> Entry {
        let at_peer = self.peers.get(&peer);
        let (open, closing) = at_peer.map_or((0, 0), |it| (it.open, it.closing));
        if open >= self.per_peer {
            return if closing > 0 || self.close_longest(Some(peer)) { Entry::Later } else { Entry::Full };
        }
        if self.open.len() >= self.all {
            let largest = self.largest();
            return if self.closing > 0 || self.close_longest(largest) { Entry::Later } else { Entry::Full };
        }
        let (id, close) = (self.turn(), Arc::new(Notify::new()));
        self.open.insert(id, Holder { peer, close: Arc::clone(&close), state: State::Working });
        self.peers.entry(peer).or_default().open += 1;
        self.waits(id);
        Entry::Entered(id, close)
    }

    fn turn(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// The peer that has the most connections, of those with one that waits: a caller with a few never gives way to one
    /// with many. Of several, the one whose connection has waited for the longest.
    fn largest(&self) -> Option<Peer> {
        let waiting = self.peers.iter().filter_map(|(peer, at)| Some((peer, at.open, at.waiting.keys().next()?)));
        waiting.max_by_key(|(_, open, since)| (*open, Reverse(**since))).map(|(peer, ..)| *peer)
    }

    /// Asks the connection of `peer` to close that has waited for the longest.
    fn close_longest(&mut self, peer: Option<Peer>) -> bool {
        let waiting = peer.and_then(|peer| self.peers.get(&peer)).map(|at_peer| &at_peer.waiting);
        let Some(id) = waiting.and_then(|waiting| waiting.values().next().copied()) else { return false };
        let Some(holder) = self.change(id, State::Closing) else { return false };
        // Kept for a connection that does not listen yet.
        holder.notify_one();
        true
    }

    fn waits(&mut self, id: u64) {
        // One that was asked to close stays asked.
        if self.open.get(&id).is_some_and(|holder| holder.state == State::Working) {
            let turn = self.turn();
            self.change(id, State::Waiting(turn));
        }
    }

    /// Whether it had been asked to close, and does not.
    fn works(&mut self, id: u64) -> bool {
        let was_closing = self.open.get(&id).is_some_and(|holder| holder.state == State::Closing);
        self.change(id, State::Working);
        was_closing
    }

    fn leave(&mut self, id: u64) {
        self.change(id, State::Working);
        let Some(holder) = self.open.remove(&id) else { return };
        if let Some(at_peer) = self.peers.get_mut(&holder.peer) {
            at_peer.open -= 1;
            if at_peer.open == 0 {
                self.peers.remove(&holder.peer);
            }
        }
    }

    /// The one place where the state of a connection changes, and what is counted of it with it.
    fn change(&mut self, id: u64, to: State) -> Option<Arc<Notify>> {
        let holder = self.open.get_mut(&id)?;
        let at_peer = self.peers.get_mut(&holder.peer)?;
        match std::mem::replace(&mut holder.state, to) {
            State::Waiting(turn) => {
                at_peer.waiting.remove(&turn);
            }
            State::Closing => {
                self.closing -= 1;
                at_peer.closing -= 1;
            }
            State::Working => {}
        }
        match to {
            State::Waiting(turn) => {
                at_peer.waiting.insert(turn, id);
            }
            State::Closing => {
                self.closing += 1;
                at_peer.closing += 1;
            }
            State::Working => {}
        }
        Some(Arc::clone(&holder.close))
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn peer(last: u8) -> Peer {
        Peer::of(Ipv4Addr::new(192, 0, 2, last).into())
    }

    fn table(all: usize, per_peer: usize) -> Table {
        Table { all, per_peer, ..Table::default() }
    }

    /// Enters, and says under which number.
    fn enter(table: &mut Table, last: u8) -> Result<u64, bool> {
        match table.enter(peer(last)) {
            Entry::Entered(id, _) => Ok(id),
            Entry::Later => Err(true),
            Entry::Full => Err(false),
        }
    }

    fn closing(table: &Table) -> Vec<u64> {
        let mut closing: Vec<_> =
            table.open.iter().filter(|(_, it)| it.state == State::Closing).map(|(id, _)| *id).collect();
        closing.sort_unstable();
        closing
    }

    #[test]
    fn the_one_that_waited_for_the_longest_gives_way() {
        let mut table = table(3, 3);
        let [first, second, third] = [1, 2, 3].map(|last| enter(&mut table, last).unwrap());
        table.works(first);
        table.works(second);
        table.waits(first);
        assert_eq!(enter(&mut table, 4), Err(true));
        assert_eq!(closing(&table), [third], "the first began to wait after it, the second works");
        assert_eq!(enter(&mut table, 4), Err(true));
        assert_eq!(closing(&table), [third], "one new caller closes one connection");
        table.leave(third);
        assert!(enter(&mut table, 4).is_ok());
        assert_eq!(table.open.len(), 3);
    }

    #[test]
    fn a_peer_with_few_connections_gives_way_last() {
        let mut table = table(4, 3);
        let only = enter(&mut table, 1).unwrap();
        let many = [2, 2, 2].map(|last| enter(&mut table, last).unwrap());
        for (newcomer, expected) in [(3, many[0]), (4, many[1])] {
            assert_eq!(enter(&mut table, newcomer), Err(true));
            assert_eq!(closing(&table), [expected], "not `{only}`, though it has waited the longest of all");
            table.leave(expected);
            assert!(enter(&mut table, newcomer).is_ok());
        }
        // Where all have one, the longest waits goes.
        assert_eq!(enter(&mut table, 5), Err(true));
        assert_eq!(closing(&table), [only]);
    }

    #[test]
    fn nothing_in_flight_is_closed() {
        let mut table = table(2, 2);
        let ids = [1, 2].map(|last| enter(&mut table, last).unwrap());
        for id in ids {
            table.works(id);
        }
        assert_eq!(enter(&mut table, 3), Err(false));
        table.waits(ids[1]);
        assert_eq!(enter(&mut table, 3), Err(true));
        assert!(table.works(ids[1]), "its request came just then");
        assert_eq!(enter(&mut table, 3), Err(false));
    }

    #[test]
    fn one_peer_has_only_its_own_places() {
        let mut table = table(10, 2);
        let other = enter(&mut table, 9).unwrap();
        let [first, second] = [1, 1].map(|last| enter(&mut table, last).unwrap());
        assert_eq!(enter(&mut table, 1), Err(true));
        assert_eq!(closing(&table), [first], "not `{other}`, which waited longer and is another's, nor `{second}`");
        assert!(enter(&mut table, 2).is_ok(), "others come in meanwhile");
    }

    #[test]
    fn when_the_system_has_no_more_those_that_waited_the_longest_are_closed() {
        let mut table = table(10, 10);
        let ids = [1, 1, 2, 2].map(|last| enter(&mut table, last).unwrap());
        table.works(ids[1]);
        for _ in 0..2 {
            let largest = table.largest();
            table.close_longest(largest);
        }
        assert_eq!(closing(&table), [ids[0], ids[2]]);
        let largest = table.largest();
        table.close_longest(largest);
        assert_eq!(table.largest(), None, "the last one works");
        assert!(!table.close_longest(None));
    }

    #[test]
    fn what_is_counted_is_gone_with_the_connections() {
        let mut table = table(3, 2);
        let mut inside = Vec::new();
        for round in 0..1000_u64 {
            match enter(&mut table, u8::try_from(round % 3).unwrap()) {
                Ok(id) => inside.push(id),
                Err(_) => closing(&table).into_iter().for_each(|id| table.leave(id)),
            }
            if let Some(id) = inside.get(usize::try_from(round * 7).unwrap() % inside.len()) {
                match round % 2 {
                    0 => table.waits(*id),
                    _ => assert!(!table.works(*id), "those that were asked to close are gone"),
                }
            }
            assert!(table.open.len() <= 3);
        }
        for id in inside {
            table.leave(id);
        }
        assert!(table.open.is_empty() && table.peers.is_empty());
        assert_eq!(table.closing, 0);
    }
}
