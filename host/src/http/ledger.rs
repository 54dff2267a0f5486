//! The ledger of the guard: writes denied calls and uses of tokens to the store, off the request path.
//!
//! Holds a bounded number of notes. Notes that do not fit are dropped, and denied calls among them are counted, so that
//! a caller whose calls are denied cannot slow other callers down. A server that stops writes what it holds first.

use std::sync::Arc;

use jiff::Timestamp;
use prometheus_client::metrics::counter::Counter;
use tokio::sync::{mpsc, oneshot};

use crate::domain::access::{AuditEntry, TokenName};
use crate::service::Service;
use crate::store;

use super::error::chain;

/// Most notes that wait to be written.
const WAITING: usize = 4096;
/// Most notes that are written at once.
const BATCH: usize = 512;

/// Something to be written down.
enum Note {
    /// A call was denied.
    Denied(AuditEntry),
    /// A token was used.
    Used(TokenName, Timestamp),
    /// A task waits until every note before this one is written.
    Settled(oneshot::Sender<()>),
}

/// The end that takes notes.
#[derive(Clone)]
pub(super) struct Ledger {
    notes: mpsc::Sender<Note>,
    lost: Counter,
}

/// The end that writes them down.
pub(super) struct Writer {
    notes: mpsc::Receiver<Note>,
    service: Arc<Service>,
    lost: Counter,
}

/// A ledger over the store of `service`, which counts in `lost` what it could not keep.
pub(super) fn open(service: Arc<Service>, lost: Counter) -> (Ledger, Writer) {
    let (sender, notes) = mpsc::channel(WAITING);
    (Ledger { notes: sender, lost: lost.clone() }, Writer { notes, service, lost })
}

impl Ledger {
    /// Keeps a denied call, if there is room.
    pub(super) fn denied(&self, entry: AuditEntry) {
        if self.notes.try_send(Note::Denied(entry)).is_err() {
            self.lost.inc();
        }
    }

    /// Notes a use. One that does not fit is noted the next time.
    pub(super) fn used(&self, token: TokenName, at: Timestamp) {
        let _ = self.notes.try_send(Note::Used(token, at));
    }

    /// Waits until everything noted so far is written.
    pub(super) async fn settled(&self) {
        let (tell, told) = oneshot::channel();
        if self.notes.send(Note::Settled(tell)).await.is_ok() {
            // A writer that is gone has nothing left to write.
            let _ = told.await;
        }
    }

    /// How many denied calls were not kept since the server started.
    pub(super) fn lost(&self) -> u64 {
        self.lost.get()
    }
}

impl Writer {
    /// Writes until `stop`, and then what is there.
    pub(super) async fn run(mut self, mut stop: oneshot::Receiver<()>) {
        let mut stopping = false;
        loop {
            let mut batch = Vec::with_capacity(BATCH);
            tokio::select! {
                taken = self.notes.recv_many(&mut batch, BATCH) => {
                    if taken == 0 {
                        break;
                    }
                }
                _ = &mut stop, if !stopping => {
                    stopping = true;
                    self.notes.close();
                    continue;
                }
            }
            let (service, lost) = (Arc::clone(&self.service), self.lost.clone());
            let written = tokio::task::spawn_blocking(move || write(&service, batch, &lost)).await;
            if let Err(error) = written {
                tracing::error!(%error, "writing the audit broke off");
            }
        }
    }
}

fn write(service: &Service, batch: Vec<Note>, lost: &Counter) {
    let (mut entries, mut uses, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
    for note in batch {
        match note {
            Note::Denied(entry) => entries.push(entry),
            Note::Used(token, at) => uses.push((token, at)),
            Note::Settled(tell) => waiting.push(tell),
        }
    }
    let store = service.store();
    let audited = if entries.is_empty() { Ok(()) } else { store.audit().and_then(|audit| audit.write(&entries)) };
    if let Err(error) = audited {
        lost.inc_by(entries.len() as u64);
        tracing::error!(error = chain(&error), calls = entries.len(), "denied calls could not be kept");
    }
    // Many requests at once note the same.
    uses.dedup_by(|a, b| a.0 == b.0);
    let noted: Result<(), store::Error> = uses.iter().try_for_each(|(token, at)| store.note_use(token, *at));
    if let Err(error) = noted {
        tracing::warn!(error = chain(&error), "the last use of a token could not be noted");
    }
    for tell in waiting {
        // A task that no longer waits need not be told.
        let _ = tell.send(());
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::access::{AuditEvent, Denial};
    use crate::resolve::{Evaluation, Reads, ToolRules};
    use crate::store::{AuditFilter, Store};

    use super::*;

    struct NoRules;

    impl ToolRules for NoRules {
        fn evaluate(&self, _: &str, _: &str, _: Reads) -> Option<Evaluation> {
            None
        }

        fn fingerprint(&self) -> String {
            String::new()
        }

        fn has_rule(&self, _: &str) -> bool {
            false
        }

        fn absent(&self, _: &str) -> &[crate::resolve::Absent] {
            &[]
        }
    }

    fn call(number: usize) -> AuditEntry {
        let event = AuditEvent::Denied {
            reason: Denial::Revoked,
            privilege: None,
            method: "GET".to_owned(),
            route: format!("/api/v1/{number}"),
            request_id: number.to_string(),
            calls: 1,
        };
        AuditEntry { at: Timestamp::UNIX_EPOCH, token: format!("desk-{}", number % 8), event }
    }

    #[tokio::test]
    async fn what_does_not_fit_is_counted_and_the_rest_is_written_before_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let service = Arc::new(Service::new(Store::open(folder.path()).unwrap(), Arc::new(NoRules)));
        let (ledger, writer) = open(Arc::clone(&service), Counter::default());
        for number in 0..WAITING + 7 {
            ledger.denied(call(number));
        }
        assert_eq!(ledger.lost(), 7, "the writer does not run yet");
        let (stop, stopping) = oneshot::channel();
        drop(stop);
        writer.run(stopping).await;
        let kept = service.store().audit().unwrap().read(&AuditFilter::default(), 2 * WAITING).unwrap();
        assert_eq!(kept.len(), WAITING);
        ledger.denied(call(0));
        assert_eq!(ledger.lost(), 8, "a writer that is gone keeps nothing");
        ledger.settled().await;
    }
}
