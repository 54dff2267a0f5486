//! The queue between the callers of plugins and the writer. If it is full, a record is dropped and counted; callers
//! never wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::time::Duration;

use crate::domain::trace::CallTrace;

/// The work that the writer receives.
#[derive(Debug)]
pub(super) enum Work {
    /// A record to write.
    Row(Box<CallTrace>),
    /// A reader waits until everything before this is written.
    Flush(SyncSender<()>),
    /// Nothing came within the time-out.
    Idle,
    /// The queue is closed: nothing will come any more.
    Closed,
}

/// The end that takes records in.
#[derive(Debug)]
pub(super) struct Queue {
    sender: Option<SyncSender<Work>>,
    waiting: Arc<AtomicUsize>,
    dropped: AtomicU64,
}

/// The end from which the writer takes them.
pub(super) struct Incoming {
    receiver: Receiver<Work>,
    waiting: Arc<AtomicUsize>,
}

impl Queue {
    /// Makes a queue in which at most `capacity` records wait.
    pub(super) fn new(capacity: usize) -> (Self, Incoming) {
        let (sender, receiver) = sync_channel(capacity);
        let waiting = Arc::new(AtomicUsize::new(0));
        let incoming = Incoming { receiver, waiting: Arc::clone(&waiting) };
        (Self { sender: Some(sender), waiting, dropped: AtomicU64::new(0) }, incoming)
    }

    /// Adds a record if there is room. Returns whether there was.
    pub(super) fn offer(&self, trace: CallTrace) -> bool {
        // The count rises before the record is queued, so it never falls below zero.
        self.waiting.fetch_add(1, Relaxed);
        let taken = self.sender.as_ref().is_some_and(|sender| sender.try_send(Work::Row(Box::new(trace))).is_ok());
        if !taken {
            self.waiting.fetch_sub(1, Relaxed);
            self.dropped.fetch_add(1, Relaxed);
        }
        taken
    }

    /// Waits until everything before is written, at most `patience`. Returns whether it is written. False at once if
    /// the queue is full.
    pub(super) fn flush(&self, patience: Duration) -> bool {
        let (told, tell) = sync_channel(1);
        let sent = self.sender.as_ref().is_some_and(|sender| sender.try_send(Work::Flush(told)).is_ok());
        sent && tell.recv_timeout(patience).is_ok()
    }

    /// Closes the queue.
    pub(super) fn close(&mut self) {
        self.sender = None;
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.load(Relaxed)
    }
}

impl Incoming {
    /// Returns the next piece of work, `Idle` after `patience`.
    pub(super) fn next(&self, patience: Duration) -> Work {
        self.counted(self.receiver.recv_timeout(patience).unwrap_or_else(|error| match error {
            RecvTimeoutError::Timeout => Work::Idle,
            RecvTimeoutError::Disconnected => Work::Closed,
        }))
    }

    /// Returns the next piece of work, `Idle` if there is none yet.
    pub(super) fn at_once(&self) -> Work {
        self.counted(self.receiver.try_recv().unwrap_or_else(|error| match error {
            TryRecvError::Empty => Work::Idle,
            TryRecvError::Disconnected => Work::Closed,
        }))
    }

    fn counted(&self, work: Work) -> Work {
        if matches!(work, Work::Row(_)) {
            self.waiting.fetch_sub(1, Relaxed);
        }
        work
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::trace;
    use super::*;

    #[test]
    fn nobody_waits_for_a_writer_that_does_not_come() {
        let (queue, incoming) = Queue::new(2);
        // The writer never takes anything: a caller that waited for it would wait here forever.
        let taken: Vec<bool> = (0..5).map(|at| queue.offer(trace(at, "a/b"))).collect();
        assert_eq!(taken, [true, true, false, false, false]);
        assert_eq!((queue.len(), queue.dropped()), (2, 3));
        assert!(!queue.flush(Duration::ZERO));
        // The writer takes records after all.
        assert!(matches!(
            (incoming.at_once(), incoming.at_once(), incoming.at_once()),
            (Work::Row(_), Work::Row(_), Work::Idle)
        ));
        assert!(queue.offer(trace(9, "a/b")));
        assert_eq!((queue.len(), queue.dropped()), (1, 3));
    }

    #[test]
    fn what_waits_is_handed_out_before_the_end() {
        let (mut queue, incoming) = Queue::new(2);
        queue.offer(trace(1, "a/b"));
        queue.close();
        let came = [incoming.next(Duration::from_secs(60)), incoming.next(Duration::from_secs(60))];
        assert!(matches!(came, [Work::Row(_), Work::Closed]), "{came:?}");
        assert!(!queue.offer(trace(2, "a/b")));
    }
}
