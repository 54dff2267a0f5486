//! The audit: a database of its own beside the configuration.
//!
//! Keeps the newest [`Audit::KEPT`] lines about denied calls of each token, and all other lines for good: no token can
//! push out lines about its making, or about calls of another token, by having calls denied. Calls that repeat are one
//! line ([`repeated`]).

mod repeated;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior, params_from_iter, types::Value};

use crate::domain::access::{AuditEntry, AuditEvent, AuditOutcome, AuditRecord};

use super::side_database::SideDatabase;
use super::{Error, Store, lock};

use repeated::Repeated;

/// The database. A change of a token is in it before the change is on disk.
const AUDIT: SideDatabase = SideDatabase {
    id: 0x4c6f_4175, // "LoAu"
    tables: include_str!("audit.sql"),
    since: &[],
    written: ("WAL", "FULL"),
    private: false,
};

/// The audit of one environment.
pub struct Audit {
    writer: Mutex<Writer>,
    reader: Mutex<Connection>,
    kept: usize,
}

/// The connection that writes, and the lines that take more calls.
struct Writer {
    connection: Connection,
    repeated: Repeated,
}

/// Which lines of the audit are read.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Only lines with a smaller number.
    pub before: Option<u64>,
    /// Only lines about this token.
    pub token: Option<String>,
    /// Only lines with this outcome.
    pub outcome: Option<AuditOutcome>,
}

impl Audit {
    /// The name of the database within the data folder.
    pub const FILE: &str = "audit.db";
    /// The most lines about denied calls that are kept for each token.
    pub const KEPT: usize = 1000;

    fn open(folder: &Path, kept: usize) -> Result<Self, Error> {
        let file = folder.join(Self::FILE);
        let writer = Writer { connection: AUDIT.open(&file)?, repeated: Repeated::default() };
        let reader = Connection::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        reader.busy_timeout(Duration::from_secs(10))?;
        Ok(Self { writer: Mutex::new(writer), reader: Mutex::new(reader), kept })
    }

    /// Writes `entries`, all or none; they are on disk when it returns. Deletes lines about denied calls of a token
    /// beyond the newest [`Audit::KEPT`].
    pub fn write(&self, entries: &[AuditEntry]) -> Result<(), Error> {
        let mut writer = lock(&self.writer);
        let written = writer.write(entries, self.kept);
        if written.is_err() {
            // The counts in memory are ahead of the database now.
            writer.repeated.forget();
        }
        written
    }

    /// Returns up to `limit` lines, the newest first.
    pub fn read(&self, filter: &AuditFilter, limit: usize) -> Result<Vec<AuditRecord>, Error> {
        let mut conditions = vec!["1"];
        let mut parameters: Vec<Value> = Vec::new();
        let AuditFilter { before, token, outcome } = filter;
        if let Some(before) = before {
            conditions.push("id < ?");
            parameters.push(i64::try_from(*before).unwrap_or(i64::MAX).into());
        }
        if let Some(token) = token {
            conditions.push("token = ?");
            parameters.push(token.clone().into());
        }
        if let Some(outcome) = outcome {
            conditions.push("outcome = ?");
            parameters.push(outcome.as_str().to_owned().into());
        }
        parameters.push(i64::try_from(limit).unwrap_or(i64::MAX).into());
        let conditions = conditions.join(" AND ");
        let reader = lock(&self.reader);
        let mut find = reader.prepare_cached(&format!(
            "SELECT id, at, token, event FROM audit WHERE {conditions} ORDER BY id DESC LIMIT ?"
        ))?;
        let mut rows = find.query(params_from_iter(parameters))?;
        let mut records = Vec::new();
        while let Some(row) = rows.next()? {
            let at = row.get::<_, String>(1)?.parse().map_err(|error: jiff::Error| Error::Corrupt(error.into()))?;
            let event =
                serde_json::from_str(&row.get::<_, String>(3)?).map_err(|error| Error::Corrupt(error.into()))?;
            records.push(AuditRecord { id: row.get(0)?, entry: AuditEntry { at, token: row.get(2)?, event } });
        }
        Ok(records)
    }
}

impl Writer {
    fn write(&mut self, entries: &[AuditEntry], kept: usize) -> Result<(), Error> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut insert =
            transaction.prepare_cached("INSERT INTO audit (at, token, outcome, event) VALUES (?1, ?2, ?3, ?4)")?;
        let mut count = transaction.prepare_cached("UPDATE audit SET event = ?2 WHERE id = ?1")?;
        let mut denied = BTreeSet::new();
        for entry in entries {
            if let Some(line) = self.repeated.with(entry)
                // A line that was deleted meanwhile takes no more calls.
                && count.execute((line.id, body(&line.entry.event)?))? > 0
            {
                continue;
            }
            let AuditEntry { at, token, event } = entry;
            insert.execute((at.to_string(), token, event.outcome().as_str(), body(event)?))?;
            self.repeated.begin(transaction.last_insert_rowid(), entry);
            if event.outcome() == AuditOutcome::Denied {
                denied.insert(token.as_str());
            }
        }
        drop((insert, count));
        for token in denied {
            transaction
                .prepare_cached(
                    "DELETE FROM audit WHERE token = ?1 AND outcome = 'denied' AND id <= (SELECT id FROM audit
                        WHERE token = ?1 AND outcome = 'denied' ORDER BY id DESC LIMIT 1 OFFSET ?2)",
                )?
                .execute((token, kept))?;
        }
        transaction.commit()?;
        Ok(())
    }
}

fn body(event: &AuditEvent) -> Result<String, Error> {
    serde_json::to_string(event).map_err(|error| Error::Corrupt(error.into()))
}

impl Store {
    /// Returns the audit. Makes its database if there is none.
    pub fn audit(&self) -> Result<&Audit, Error> {
        if let Some(audit) = self.audit.get() {
            return Ok(audit);
        }
        let opened = Audit::open(self.folder(), Audit::KEPT)?;
        Ok(self.audit.get_or_init(|| opened))
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::access::{AccessRole, AuditEvent, Denial};

    use super::*;

    /// Calls with different numbers are calls of different routes.
    fn denied(token: &str, call: usize) -> AuditEntry {
        let event = AuditEvent::Denied {
            reason: Denial::Expired,
            privilege: None,
            method: "GET".to_owned(),
            route: format!("/api/v1/{call}"),
            request_id: call.to_string(),
            calls: 1,
        };
        AuditEntry { at: jiff::Timestamp::UNIX_EPOCH, token: token.to_owned(), event }
    }

    fn calls(records: &[AuditRecord]) -> Vec<String> {
        let call = |record: &AuditRecord| match &record.entry.event {
            AuditEvent::Denied { request_id, .. } => request_id.clone(),
            event => event.outcome().as_str().to_owned(),
        };
        records.iter().map(call).collect()
    }

    #[test]
    fn a_token_pushes_out_its_own_denied_calls_alone_and_tokens_are_never_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let audit = Audit::open(folder.path(), 3).unwrap();
        let event = AuditEvent::TokenCreated { by: "admin".to_owned(), roles: AccessRole::Workspace.into() };
        let made = AuditEntry { at: jiff::Timestamp::UNIX_EPOCH, token: "desk".to_owned(), event };
        audit.write(&[made, denied("desk", 1), denied("desk", 2)]).unwrap();
        let many: Vec<_> = (10..500).map(|call| denied("many", call)).collect();
        many.chunks(64).for_each(|many| audit.write(many).unwrap());
        let all = audit.read(&AuditFilter::default(), 1000).unwrap();
        assert_eq!(calls(&all), ["499", "498", "497", "2", "1", "token-created"]);
        let again = Audit::open(folder.path(), 3).unwrap();
        assert_eq!(again.read(&AuditFilter::default(), 1000).unwrap(), all);
    }

    #[test]
    fn calls_that_repeat_within_a_minute_are_one_line_with_their_count() {
        let folder = tempfile::tempdir().unwrap();
        let audit = Audit::open(folder.path(), 3).unwrap();
        let at = |second: i64, token: &str, call| {
            let at = jiff::Timestamp::from_second(1_800_000_000 + second).unwrap();
            AuditEntry { at, ..denied(token, call) }
        };
        let many: Vec<_> = (0..59).map(|second| at(second, "many", 7)).collect();
        audit.write(&many).unwrap();
        audit.write(&[at(59, "many", 7), at(59, "many", 8), at(59, "desk", 7), at(60, "many", 7)]).unwrap();
        let told = || {
            let lines = audit.read(&AuditFilter::default(), 100).unwrap();
            let told = lines.into_iter().map(|AuditRecord { entry, .. }| match entry.event {
                AuditEvent::Denied { request_id, calls, .. } => format!("{} {request_id} {calls}", entry.token),
                _ => String::new(),
            });
            told.collect::<Vec<_>>()
        };
        assert_eq!(told(), ["many 7 1", "desk 7 1", "many 8 1", "many 7 60"]);
        // A line that was deleted takes no more calls.
        audit.write(&[at(61, "many", 9), at(62, "many", 10), at(63, "many", 11)]).unwrap();
        audit.write(&[at(64, "many", 8)]).unwrap();
        assert_eq!(told(), ["many 8 1", "many 11 1", "many 10 1", "desk 7 1"]);
    }

    #[test]
    fn lines_are_found_by_token_by_outcome_and_page_by_page() {
        let folder = tempfile::tempdir().unwrap();
        let audit = Audit::open(folder.path(), Audit::KEPT).unwrap();
        let entries: Vec<_> = (0..6).map(|call| denied(if call % 2 == 0 { "desk" } else { "shop" }, call)).collect();
        audit.write(&entries).unwrap();
        let find = |filter: AuditFilter, limit| calls(&audit.read(&filter, limit).unwrap());
        let desk = || AuditFilter { token: Some("desk".to_owned()), ..AuditFilter::default() };
        assert_eq!(find(desk(), 2), ["4", "2"]);
        assert_eq!(find(AuditFilter { before: Some(3), ..desk() }, 2), ["0"]);
        let outcome = |outcome| AuditFilter { outcome: Some(outcome), ..desk() };
        assert_eq!(find(outcome(AuditOutcome::Denied), 9).len(), 3);
        assert!(find(outcome(AuditOutcome::TokenRevoked), 9).is_empty());
    }

    #[test]
    fn another_file_of_that_name_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let other = Connection::open(folder.path().join(Audit::FILE)).unwrap();
        other.execute_batch("CREATE TABLE t (x)").unwrap();
        assert!(matches!(Audit::open(folder.path(), 3), Err(Error::NotOurs)));
    }
}
