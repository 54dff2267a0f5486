//! Races between changes: each change is worked out over one revision, and lost if another thread writes one in
//! between.
//!
//! A change that lost several races in a row is made alone: until it is done, no other thread of this process writes a
//! revision. So a slow change among many quick ones is not refused because it took longer. Only writers of revisions
//! wait for it, at most for [`PATIENCE`]. A change that takes longer than that, such as the import of a large archive,
//! still races. So does one with another process.

use std::time::Duration;

use parking_lot::ReentrantMutexGuard;

use super::Store;

/// How often a change is tried. The last time other changes wait.
const ATTEMPTS: u32 = 8;

/// How long one change makes another wait.
const PATIENCE: Duration = Duration::from_secs(5);

/// Keeps other threads from writing revisions until it is dropped.
pub struct Alone<'a> {
    _turn: Option<ReentrantMutexGuard<'a, ()>>,
}

impl Store {
    /// Waits for the turn to write, at most for [`PATIENCE`]. The thread that has the turn gets it again at once.
    pub(super) fn alone(&self) -> Alone<'_> {
        Alone { _turn: self.turn.try_lock_for(PATIENCE) }
    }

    /// Calls `attempt` until it loses no race, up to [`ATTEMPTS`] times, the last time alone. `lost` says whether an
    /// error stands for a lost race. Returns the error of the last attempt.
    pub fn racing<T, E>(&self, lost: impl Fn(&E) -> bool, mut attempt: impl FnMut() -> Result<T, E>) -> Result<T, E> {
        for _ in 1..ATTEMPTS {
            match attempt() {
                Err(error) if lost(&error) => {}
                done => return done,
            }
        }
        let _alone = self.alone();
        attempt()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
    use std::thread;

    use super::super::{Change, ChangeSet, Error};
    use super::*;
    use crate::domain::Queue;
    use crate::domain::revision::Author;

    fn write(store: &Store, name: &str, queue: &str, base: Option<crate::domain::Revision>) -> Result<(), Error> {
        let queue: Queue = serde_json::from_value(serde_json::json!({"name": queue})).unwrap();
        let changes = ChangeSet { base, ..ChangeSet::new([Change::put(name.to_owned(), queue)]) };
        store.commit(changes, &Author::new("ada", "a test")).map(drop)
    }

    #[test]
    fn a_slow_change_is_made_however_many_quick_ones_there_are() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let (over, attempts) = (AtomicBool::new(false), AtomicU32::new(0));
        thread::scope(|threads| {
            for writer in 0..4 {
                let (store, over) = (&store, &over);
                threads.spawn(move || {
                    for turn in 0.. {
                        if over.load(SeqCst) {
                            break;
                        }
                        write(store, &format!("quick_{writer}"), &turn.to_string(), None).unwrap();
                    }
                });
            }
            let moved = |error: &Error| matches!(error, Error::Moved { .. });
            let made = store.racing(moved, || {
                attempts.fetch_add(1, SeqCst);
                let base = store.newest()?;
                // Takes longer than a quick change: it loses each race that it takes part in.
                while attempts.load(SeqCst) < ATTEMPTS && store.newest()? == base {
                    thread::yield_now();
                }
                thread::sleep(Duration::from_millis(50));
                write(&store, "slow", "Slow", Some(base))
            });
            over.store(true, SeqCst);
            made.unwrap();
        });
        assert_eq!(attempts.into_inner(), ATTEMPTS, "it lost every race before");
    }

    #[test]
    fn what_is_no_lost_race_is_told_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let mut attempts = 0;
        let refused = store.racing(
            |error: &&str| *error == "lost",
            || {
                attempts += 1;
                Err::<(), _>(if attempts < 3 { "lost" } else { "wrong" })
            },
        );
        assert_eq!((refused, attempts), (Err("wrong"), 3));
    }
}
