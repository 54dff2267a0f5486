//! Acts that leave no revision are in the audit, which is written before they happen.
//!
//! The audit names what was touched. It holds no value and nothing that was recorded.

use jiff::Timestamp;

use crate::domain::access::{AuditEntry, AuditEvent};
use crate::domain::revision::Author;
use crate::store;

use super::Service;

impl Service {
    /// Writes to the audit what its author is about to do. If the process is killed in between, the audit has a line
    /// about something that did not happen, which is better than something that happened without a line.
    pub(super) fn note(&self, author: &Author, event: AuditEvent) -> Result<(), store::Error> {
        self.store.audit()?.write(&[AuditEntry { at: Timestamp::now(), token: author.who.clone(), event }])
    }
}
