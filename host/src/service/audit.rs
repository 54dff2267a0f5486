//! What leaves no revision can be traced all the same: it is in the audit before it happens.
//!
//! The audit names what was touched, and has no value and nothing that was recorded.

use jiff::Timestamp;

use crate::domain::access::{AuditEntry, AuditEvent};
use crate::domain::revision::Author;
use crate::store;

use super::Service;

impl Service {
    /// Puts into the audit what its author is about to do. Whoever is killed in between leaves a line about something that did not
    /// happen, which is better than something that happened without a line.
    pub(super) fn note(&self, author: &Author, event: AuditEvent) -> Result<(), store::Error> {
        self.store.audit()?.write(&[AuditEntry { at: Timestamp::now(), token: author.who.clone(), event }])
    }
}
