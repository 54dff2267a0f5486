//! Questions to asynchronous steps, on disk until they are answered.
//!
//! A question comes with the revision that asks for it, in one transaction, and goes with the one that writes what the step
//! proposed. So it is put at least once, and what it leads to is written exactly once. Who works on a question holds it for
//! a while, by name; whoever dies lets it go by that.

use rusqlite::{Connection, Row, params};
use serde_json::Value;

use crate::domain::Revision;
use crate::domain::revision::Author;

use super::commit::End;
use super::{ChangeSet, Committed, Error, Store, rows};

/// A question to be put.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// Its name.
    pub event: String,
    /// The plugin, as `publisher/name`.
    pub plugin: String,
    /// The step.
    pub step: String,
    /// What happened.
    pub message: String,
    /// The question itself.
    pub body: Value,
    /// How many changes by asynchronous steps led to it.
    pub hops: u32,
}

/// A question that was put or will be.
#[derive(Debug, Clone, PartialEq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OutboxEvent)]
pub struct OutboxEvent {
    /// Its number.
    pub id: u64,
    /// Its name.
    pub event: String,
    /// The revision that asked for it.
    pub revision: Revision,
    /// The plugin, as `publisher/name`.
    pub plugin: String,
    /// The step.
    pub step: String,
    /// What happened.
    pub message: String,
    /// Whether it will be put.
    pub state: EventState,
    /// How often it was put.
    pub attempts: u32,
    /// When it will be put next; of a dead one, when it died.
    #[schema(value_type = String, format = DateTime)]
    pub due: jiff::Timestamp,
    /// Why it was not answered the last time, as a stable code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The same in one sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The question.
    #[serde(skip)]
    pub body: Value,
    /// How many changes by asynchronous steps led to it.
    #[serde(skip)]
    pub hops: u32,
}

/// Whether a question will be put.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EventState {
    /// It will be.
    Pending,
    /// It was put too often, or to nobody. It waits for an administrator.
    Dead,
}

impl EventState {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Dead => "dead",
        }
    }
}

impl Store {
    /// Carries out `changes` and takes over the questions they lead to. The event `delivers` is done with it.
    pub fn commit_with_events(
        &self,
        changes: ChangeSet,
        author: &Author,
        events: &[NewEvent],
        delivers: Option<u64>,
    ) -> Result<Committed, Error> {
        let also = |connection: &Connection, committed: &Committed| {
            if let Some(id) = delivers {
                finish(connection, id)?;
            }
            events.iter().try_for_each(|event| insert(connection, event, committed.revision))
        };
        self.attempt(changes, author, End::Keep(&also))
    }

    /// Takes the question that is due first, and holds it for `seconds` in the name of `holder`. One that somebody holds is not taken,
    /// unless `is_gone` says that whoever holds it no longer exists.
    pub fn take_event(
        &self,
        now: jiff::Timestamp,
        seconds: u32,
        holder: &str,
        is_gone: impl Fn(&str) -> bool,
    ) -> Result<Option<OutboxEvent>, Error> {
        self.as_writer(|connection| {
            let now = now.as_millisecond();
            let Some(id) = first_due(connection, now, is_gone)? else { return Ok(None) };
            let until = now + i64::from(seconds) * 1000;
            connection
                .prepare_cached("UPDATE outbox SET taken = ?2, holder = ?3, attempts = attempts + 1 WHERE id = ?1")?
                .execute(params![id, until, holder])?;
            let mut find = connection.prepare_cached("SELECT * FROM outbox WHERE id = ?1")?;
            find.query_and_then([id], event)?.next().transpose()
        })
    }

    /// Whether a question is due that nobody holds, or somebody of whom `is_gone` says that they no longer exist.
    pub fn is_event_due(&self, now: jiff::Timestamp, is_gone: impl Fn(&str) -> bool) -> Result<bool, Error> {
        self.read(|connection| Ok(first_due(connection, now.as_millisecond(), is_gone)?.is_some()))
    }

    /// A question was answered, and the answer changes nothing.
    pub fn finish_event(&self, id: u64) -> Result<(), Error> {
        self.as_writer(|connection| finish(connection, id))
    }

    /// A question was not answered in so many attempts: it is put again when it is `due`, or never. Whether it still was as it was `taken`
    /// by `holder`: if not, whoever holds it or had it put again meanwhile decides about it.
    #[expect(clippy::too_many_arguments, reason = "each of them is a column")]
    pub fn put_event_back(
        &self,
        taken: &OutboxEvent,
        holder: &str,
        state: EventState,
        due: jiff::Timestamp,
        attempts: u32,
        code: &str,
        reason: &str,
    ) -> Result<bool, Error> {
        self.as_writer(|connection| {
            let mut put = connection.prepare_cached(
                "UPDATE outbox SET state = ?3, due = ?4, attempts = ?5, taken = NULL, holder = NULL, code = ?6, reason = ?7
                 WHERE id = ?1 AND holder = ?2 AND attempts = ?8",
            )?;
            let (state, due) = (state.as_str(), due.as_millisecond());
            let put = put.execute(params![taken.id, holder, state, due, attempts, code, reason, taken.attempts])? > 0;
            if !put {
                connection
                    .prepare_cached("UPDATE outbox SET taken = NULL, holder = NULL WHERE id = ?1 AND holder = ?2")?
                    .execute(params![taken.id, holder])?;
            }
            Ok(put)
        })
    }

    /// Up to `limit` questions after the one with the number `after`, oldest first.
    pub fn events(&self, state: Option<EventState>, after: u64, limit: usize) -> Result<Vec<OutboxEvent>, Error> {
        self.read(|connection| {
            let mut find = connection.prepare_cached(
                "SELECT * FROM outbox WHERE id > ?1 AND (?2 IS NULL OR state = ?2) ORDER BY id LIMIT ?3",
            )?;
            find.query_and_then(params![after, state.map(EventState::as_str), limit], event)?.collect()
        })
    }

    /// The question with the number `id`, if it is there.
    pub fn event(&self, id: u64) -> Result<Option<OutboxEvent>, Error> {
        self.read(|connection| {
            let mut find = connection.prepare_cached("SELECT * FROM outbox WHERE id = ?1")?;
            find.query_and_then([id], event)?.next().transpose()
        })
    }

    /// Puts a question again now, with as many attempts as a new one has. Nothing if there is none.
    pub fn retry_event(&self, id: u64, now: jiff::Timestamp) -> Result<Option<OutboxEvent>, Error> {
        self.as_writer(|connection| {
            connection
                .prepare_cached("UPDATE outbox SET state = 'pending', due = ?2, attempts = 0 WHERE id = ?1")?
                .execute(params![id, now.as_millisecond()])?;
            let mut find = connection.prepare_cached("SELECT * FROM outbox WHERE id = ?1")?;
            find.query_and_then([id], event)?.next().transpose()
        })
    }

    /// Drops a question. Whether there was one.
    pub fn drop_event(&self, id: u64) -> Result<bool, Error> {
        self.as_writer(|connection| Ok(connection.execute("DELETE FROM outbox WHERE id = ?1", [id])? > 0))
    }
}

/// The question that is due first and free. Those that are held are few: each server holds one at a time.
fn first_due(connection: &Connection, now: i64, is_gone: impl Fn(&str) -> bool) -> Result<Option<u64>, Error> {
    let mut find = connection.prepare_cached(
        "SELECT id, iif(taken > ?1, holder, NULL) FROM outbox WHERE state = 'pending' AND due <= ?1 ORDER BY due, id",
    )?;
    let mut due = find.query([now])?;
    while let Some(row) = due.next()? {
        let holder: Option<String> = row.get(1)?;
        if holder.is_none_or(|holder| is_gone(&holder)) {
            return Ok(Some(row.get(0)?));
        }
    }
    Ok(None)
}

fn insert(connection: &Connection, event: &NewEvent, revision: Revision) -> Result<(), Error> {
    let NewEvent { event, plugin, step, message, body, hops } = event;
    let due = jiff::Timestamp::now().as_millisecond();
    connection
        .prepare_cached(
            "INSERT INTO outbox (event, revision, plugin, step, message, body, hops, state, attempts, due)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'pending', 0, ?8)",
        )?
        .execute(params![event, revision.0, plugin, step, message, body.to_string(), hops, due])?;
    Ok(())
}

/// Ends a question. Refused if somebody else ended it: then what it led to is written already.
fn finish(connection: &Connection, id: u64) -> Result<(), Error> {
    let ended = connection.prepare_cached("DELETE FROM outbox WHERE id = ?1")?.execute([id])?;
    if ended == 1 { Ok(()) } else { Err(Error::EventDone { id }) }
}

fn event(row: &Row<'_>) -> Result<OutboxEvent, Error> {
    let state: String = row.get("state")?;
    let body: String = row.get("body")?;
    let due = jiff::Timestamp::from_millisecond(row.get("due")?).map_err(rows::corrupt)?;
    Ok(OutboxEvent {
        id: row.get("id")?,
        event: row.get("event")?,
        revision: Revision(row.get("revision")?),
        plugin: row.get("plugin")?,
        step: row.get("step")?,
        message: row.get("message")?,
        state: if state == "dead" { EventState::Dead } else { EventState::Pending },
        attempts: row.get("attempts")?,
        due,
        code: row.get("code")?,
        reason: row.get("reason")?,
        body: serde_json::from_str(&body).map_err(rows::corrupt)?,
        hops: row.get("hops")?,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::domain::{AnyItem, Kind};
    use crate::store::Change;

    use super::*;

    /// A store with so many questions.
    fn store(questions: usize) -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let queue = AnyItem::parse(Kind::Queue, "desk", json!({"name": "Desk"})).unwrap();
        let ask = |at| NewEvent {
            event: format!("question {at}"),
            plugin: "contoso/stamp".to_owned(),
            step: "later".to_owned(),
            message: "queue.create".to_owned(),
            body: json!({}),
            hops: 0,
        };
        let events: Vec<_> = (1..=questions).map(ask).collect();
        let changes = ChangeSet::new([Change::put("desk".to_owned(), queue)]);
        store.commit_with_events(changes, &Author::new("ada", "a test"), &events, None).unwrap();
        (folder, store)
    }

    #[test]
    fn a_question_is_held_until_its_time_is_over_or_its_holder_is_gone() {
        let (_folder, store) = store(1);
        let begun = jiff::Timestamp::now();
        let tries = [
            ("it is free", 0, "first", "", Some(1)),
            ("somebody holds it", 1, "second", "", None),
            ("somebody else is gone", 1, "second", "third", None),
            ("who held it is gone", 1, "second", "first", Some(2)),
            ("it is held by who took it over", 2, "third", "first", None),
            ("its time is over", 62, "third", "", Some(3)),
        ];
        for (why, seconds, holder, gone, attempt) in tries {
            let now = begun + jiff::SignedDuration::from_secs(seconds);
            let is_gone = |holder: &str| holder == gone;
            assert_eq!(store.is_event_due(now, is_gone).unwrap(), attempt.is_some(), "{why}");
            let taken = store.take_event(now, 60, holder, is_gone).unwrap();
            assert_eq!(taken.map(|event| event.attempts), attempt, "{why}");
        }
    }

    #[test]
    fn what_somebody_holds_keeps_nobody_from_the_next() {
        let (_folder, store) = store(2);
        let now = jiff::Timestamp::now();
        let take = |holder| store.take_event(now, 60, holder, |_| false).unwrap().map(|event| event.event);
        assert_eq!(take("first").as_deref(), Some("question 1"));
        assert_eq!(take("second").as_deref(), Some("question 2"));
        assert_eq!(take("third"), None);
    }

    #[test]
    fn what_was_put_back_is_held_by_nobody() {
        let (_folder, store) = store(1);
        let now = jiff::Timestamp::now();
        let taken = store.take_event(now, 60, "first", |_| false).unwrap().unwrap();
        let put_back = |holder| {
            store.put_event_back(&taken, holder, EventState::Pending, now, 1, "plugin.failed", "no luck").unwrap()
        };
        assert!(put_back("first"));
        let again = store.take_event(now, 60, "second", |_| false).unwrap().unwrap();
        assert_eq!((again.attempts, again.code.as_deref()), (2, Some("plugin.failed")));
        assert!(!put_back("first"), "somebody else holds it");
        assert!(store.take_event(now, 60, "third", |_| false).unwrap().is_none(), "and goes on holding it");
    }

    #[test]
    fn who_has_a_question_put_again_is_not_overruled_by_whoever_holds_it() {
        let (_folder, store) = store(1);
        let now = jiff::Timestamp::now();
        let taken = store.take_event(now, 60, "first", |_| false).unwrap().unwrap();
        assert_eq!(store.retry_event(taken.id, now).unwrap().unwrap().attempts, 0);
        let put_back = store.put_event_back(&taken, "first", EventState::Dead, now, 8, "plugin.failed", "no luck");
        assert!(!put_back.unwrap());
        let again = store.take_event(now, 60, "second", |_| false).unwrap().unwrap();
        assert_eq!((again.attempts, again.state, again.code), (1, EventState::Pending, None));
    }
}
