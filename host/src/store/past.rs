//! Snapshots of past revisions: each is loaded once for all callers that ask for it.
//!
//! The load of an old library takes time and memory in proportion to its items. So the last few are kept, at most two
//! are loaded at once, and a caller that can repeat its request is refused if too many wait.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::domain::Revision;

use super::{Error, Snapshot};

/// The number of old snapshots that are kept.
const KEPT: usize = 3;

/// The number of old snapshots that are loaded at once.
const LOADS: usize = 2;

/// The number of callers that may wait for a load.
const WAITING: usize = 8;

/// Old snapshots.
#[derive(Default)]
pub(super) struct Past {
    state: Mutex<State>,
    /// Is notified whenever a load ends.
    ended: Condvar,
}

#[derive(Default)]
struct State {
    /// The snapshot that was asked for last is the first.
    kept: VecDeque<Arc<Snapshot>>,
    loading: Vec<Revision>,
    waiting: usize,
}

/// How a caller behaves if too many others wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// The caller waits for its turn.
    Waits,
    /// The caller is refused and repeats its request.
    ComesAgain,
}

impl Past {
    /// Returns the snapshot of `revision`. Calls `load` unless the snapshot is kept or is being loaded.
    pub(super) fn at(
        &self,
        revision: Revision,
        patience: Patience,
        load: impl FnOnce() -> Result<Snapshot, Error>,
    ) -> Result<Arc<Snapshot>, Error> {
        let mut state = self.lock();
        loop {
            let place = state.kept.iter().position(|kept| kept.revision() == revision);
            if let Some(kept) = place.and_then(|place| state.kept.remove(place)) {
                state.kept.push_front(Arc::clone(&kept));
                return Ok(kept);
            }
            if !state.loading.contains(&revision) && state.loading.len() < LOADS {
                break;
            }
            if state.waiting >= WAITING && patience == Patience::ComesAgain {
                return Err(Error::TooManyPast);
            }
            state.waiting += 1;
            state = self.ended.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.waiting -= 1;
        }
        state.loading.push(revision);
        drop(state);
        // Dropped also if the load fails or panics: then another caller tries.
        let _ended = Loading { past: self, revision };
        let loaded = Arc::new(load()?);
        let mut state = self.lock();
        state.kept.push_front(Arc::clone(&loaded));
        state.kept.truncate(KEPT);
        Ok(loaded)
    }

    /// Locks the state, also after a panic: it is consistent after every line.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A load in progress. Its end is noted when this is dropped.
struct Loading<'a> {
    past: &'a Past,
    revision: Revision,
}

impl Drop for Loading<'_> {
    fn drop(&mut self) {
        self.past.lock().loading.retain(|loading| *loading != self.revision);
        self.past.ended.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    fn snapshot(revision: u64) -> Snapshot {
        Snapshot::default().at_revision(Revision(revision))
    }

    /// Waits until `count` callers wait.
    fn until_wait(past: &Past, count: usize) {
        while past.lock().waiting < count {
            thread::yield_now();
        }
    }

    #[test]
    fn the_last_few_are_kept() {
        let (past, loads) = (Past::default(), AtomicUsize::new(0));
        let ask = |revision: u64| {
            let load = || {
                loads.fetch_add(1, SeqCst);
                Ok(snapshot(revision))
            };
            let found = past.at(Revision(revision), Patience::ComesAgain, load).unwrap();
            assert_eq!(found.revision(), Revision(revision));
            loads.load(SeqCst)
        };
        assert_eq!([1, 1, 2, 3, 1, 2].map(ask), [1, 1, 2, 3, 3, 3]);
        // The snapshot of revision 3 was asked for before the others, so it is dropped.
        assert_eq!([4, 1, 2, 3].map(ask), [4, 4, 4, 5]);
    }

    #[test]
    fn callers_that_ask_for_the_same_wait_for_one_load() {
        let (past, loads) = (Past::default(), AtomicUsize::new(0));
        let (go, may_go) = mpsc::channel::<()>();
        thread::scope(|scope| {
            let first = scope.spawn(|| {
                past.at(Revision(1), Patience::ComesAgain, move || {
                    may_go.recv().unwrap();
                    Ok(snapshot(1))
                })
            });
            while past.lock().loading.is_empty() {
                thread::yield_now();
            }
            let others: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        past.at(Revision(1), Patience::ComesAgain, || {
                            loads.fetch_add(1, SeqCst);
                            Ok(snapshot(1))
                        })
                    })
                })
                .collect();
            until_wait(&past, 4);
            go.send(()).unwrap();
            let first = first.join().unwrap().unwrap();
            for other in others {
                assert!(Arc::ptr_eq(&first, &other.join().unwrap().unwrap()));
            }
        });
        assert_eq!(loads.into_inner(), 0);
    }

    #[test]
    fn two_are_loaded_at_once_and_a_caller_that_finds_too_many_waiting_comes_again() {
        let (past, at_once, most) = (Past::default(), AtomicUsize::new(0), AtomicUsize::new(0));
        let (go, may_go) = mpsc::channel::<()>();
        let may_go = Mutex::new(may_go);
        let load = |revision: u64| {
            let (at_once, most, may_go) = (&at_once, &most, &may_go);
            move || {
                most.fetch_max(at_once.fetch_add(1, SeqCst) + 1, SeqCst);
                may_go.lock().unwrap().recv().unwrap();
                at_once.fetch_sub(1, SeqCst);
                if revision == 1 { Err(Error::TooManyPast) } else { Ok(snapshot(revision)) }
            }
        };
        thread::scope(|scope| {
            let asked: Vec<_> = (1..=LOADS + WAITING)
                .map(|revision| {
                    let revision = revision as u64;
                    let (past, load) = (&past, load(revision));
                    scope.spawn(move || past.at(Revision(revision), Patience::ComesAgain, load).is_ok())
                })
                .collect();
            until_wait(&past, WAITING);
            let refused = past.at(Revision(99), Patience::ComesAgain, || Ok(snapshot(99)));
            assert!(matches!(refused, Err(Error::TooManyPast)));
            let patient = scope.spawn(|| past.at(Revision(98), Patience::Waits, load(98)).is_ok());
            until_wait(&past, WAITING + 1);
            (0..=LOADS + WAITING).for_each(|_| go.send(()).unwrap());
            let answered = asked.into_iter().map(|it| it.join().unwrap()).filter(|it| *it).count();
            assert_eq!(answered, LOADS + WAITING - 1, "one load failed, and no other caller waits for it");
            assert!(patient.join().unwrap());
        });
        assert_eq!(most.into_inner(), LOADS);
    }
}
