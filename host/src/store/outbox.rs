//! The outbox: events, each a question to an asynchronous step, on disk until the step has answered.
//!
//! An event is written in the transaction of the revision that asks for it, and deleted in the transaction that writes
//! what the step proposed. So an event is dispatched at least once, and its proposal is written exactly once. The
//! process that dispatches an event holds a lease on it, by name; if that process ends without an answer, the lease
//! expires. Plugins take turns, so the events of one do not wait behind those of another. The number of waiting events
//! is bounded (`room`).

mod room;

use std::cell::RefCell;

use rusqlite::{Connection, Row, params};
use serde_json::Value;

use crate::domain::revision::Author;
use crate::domain::{Kind, Revision};

use super::end::End;
use super::{ChangeSet, Changed, Committed, Error, How, Store, rows};

/// An event to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// The name of the event.
    pub event: String,
    /// The plugin, as `publisher/name`.
    pub plugin: String,
    /// The name of the step.
    pub step: String,
    /// The message: what happened.
    pub message: String,
    /// The question, as JSON.
    pub body: Value,
}

/// An event that a change led to and that is not written, because there is no room for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unasked {
    /// The plugin, as `publisher/name`.
    pub plugin: String,
    /// The step.
    pub step: String,
    /// Why, as a stable code.
    pub code: &'static str,
    /// The reason in one sentence.
    pub message: String,
}

/// A question to an asynchronous step that waits in the outbox or is dead.
#[derive(Debug, Clone, PartialEq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OutboxEvent)]
pub struct OutboxEvent {
    /// The number of the event.
    pub id: u64,
    /// The name of the event.
    pub event: String,
    /// The revision that led to it.
    pub revision: Revision,
    /// The plugin, as `publisher/name`.
    pub plugin: String,
    /// The name of the step.
    pub step: String,
    /// The message: what happened.
    pub message: String,
    /// Whether the event will be dispatched again.
    pub state: EventState,
    /// How often the event was dispatched.
    pub attempts: u32,
    /// When the event is dispatched next; of a dead event, when it died.
    #[schema(value_type = String, format = DateTime)]
    pub due: jiff::Timestamp,
    /// Why the last attempt failed, as a stable code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The reason in one sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The question, as JSON.
    #[serde(skip)]
    pub body: Value,
    /// The number of changes by asynchronous steps that led to this event.
    #[serde(skip)]
    pub hops: u32,
    /// The revision with which that chain of changes began.
    #[serde(skip)]
    pub root: Revision,
    /// The plugins whose proposals those changes were, as far as they were recorded.
    #[serde(skip)]
    pub led_by: Vec<String>,
}

impl OutboxEvent {
    /// Returns whether the plugin `plugin` answers the event, or proposed one of the changes that led to it.
    pub fn is_led_by(&self, plugin: &str) -> bool {
        self.plugin == plugin || self.led_by.iter().any(|by| by == plugin)
    }
}

/// Whether an event will be dispatched again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EventState {
    /// The event will be dispatched.
    Pending,
    /// The event was dispatched too often, or no step answers it. It waits for an administrator.
    Dead,
}

impl EventState {
    /// Returns the name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Dead => "dead",
        }
    }
}

impl Store {
    /// Commits `changes` and writes the events they lead to. Deletes the event `delivers`, whose proposal the changes
    /// are. Returns the events that were not written because too many wait.
    pub fn commit_with_events(
        &self,
        changes: ChangeSet,
        author: &Author,
        events: &[NewEvent],
        delivers: Option<&OutboxEvent>,
    ) -> Result<(Committed, Vec<Unasked>), Error> {
        let unasked = RefCell::new(Vec::new());
        let also = |connection: &Connection, committed: &Committed| {
            if let Some(delivered) = delivers {
                finish(connection, delivered.id)?;
            }
            let chain = Chain::after(delivers, committed.revision);
            unasked.replace(room::ask(connection, events, &chain, |event| {
                insert(connection, event, committed.revision, &chain)
            })?);
            room::forget_chains(connection)
        };
        let committed = self.attempt(changes, author, End::Keep(&also))?;
        Ok((committed, unasked.into_inner()))
    }

    /// Takes an event that is due, and leases it to `holder` for `seconds`. The turn goes to the next plugin after
    /// `served`, by name; of its events, to the one that was due first. An event that is leased is not taken, unless
    /// `is_gone` says that its holder no longer exists.
    pub fn take_event(
        &self,
        now: jiff::Timestamp,
        seconds: u32,
        holder: &str,
        served: &str,
        is_gone: impl Fn(&str) -> bool,
    ) -> Result<Option<OutboxEvent>, Error> {
        self.as_writer(|connection| {
            let now = now.as_millisecond();
            let Some(id) = next_due(connection, now, served, is_gone)? else { return Ok(None) };
            let until = now + i64::from(seconds) * 1000;
            connection
                .prepare_cached("UPDATE outbox SET taken = ?2, holder = ?3, attempts = attempts + 1 WHERE id = ?1")?
                .execute(params![id, until, holder])?;
            let mut find = connection.prepare_cached("SELECT * FROM outbox WHERE id = ?1")?;
            find.query_and_then([id], event)?.next().transpose()
        })
    }

    /// Returns whether an event is due that has no lease, or one of a holder that `is_gone` says no longer exists.
    pub fn is_event_due(&self, now: jiff::Timestamp, is_gone: impl Fn(&str) -> bool) -> Result<bool, Error> {
        self.read(|connection| Ok(next_due(connection, now.as_millisecond(), "", is_gone)?.is_some()))
    }

    /// Deletes an event whose answer changes nothing. Refuses if the event is gone already.
    pub fn finish_event(&self, id: u64) -> Result<(), Error> {
        self.as_writer(|connection| {
            finish(connection, id)?;
            room::forget_chains(connection)
        })
    }

    /// Reschedules an event after a failed attempt for `due`, or marks it dead, with the number of `attempts` made.
    /// Returns false, and only ends the lease, if the event is no longer as `holder` has `taken` it: another process
    /// has taken it, or an administrator has had it dispatched again.
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
            let (name, due) = (state.as_str(), due.as_millisecond());
            let put = put.execute(params![taken.id, holder, name, due, attempts, code, reason, taken.attempts])? > 0;
            if !put {
                connection
                    .prepare_cached("UPDATE outbox SET taken = NULL, holder = NULL WHERE id = ?1 AND holder = ?2")?
                    .execute(params![taken.id, holder])?;
            }
            if put && state == EventState::Dead {
                room::forget_oldest_dead(connection, &taken.plugin)?;
            }
            Ok(put)
        })
    }

    /// Returns up to `limit` events after the one with the number `after`, the oldest first, without the question
    /// (`body`).
    pub fn events(&self, state: Option<EventState>, after: u64, limit: usize) -> Result<Vec<OutboxEvent>, Error> {
        self.read(|connection| {
            let mut find = connection.prepare_cached(
                "SELECT id, event, revision, plugin, step, message, 'null' AS body, hops, root, led_by, state, attempts, due, code, reason
                 FROM outbox WHERE id > ?1 AND (?2 IS NULL OR state = ?2) ORDER BY id LIMIT ?3",
            )?;
            find.query_and_then(params![after, state.map(EventState::as_str), limit], event)?.collect()
        })
    }

    /// Returns the event with the number `id`, if it exists.
    pub fn event(&self, id: u64) -> Result<Option<OutboxEvent>, Error> {
        self.read(|connection| {
            let mut find = connection.prepare_cached("SELECT * FROM outbox WHERE id = ?1")?;
            find.query_and_then([id], event)?.next().transpose()
        })
    }

    /// Makes an event due now and sets its attempts to zero. Returns `None` if there is no such event.
    pub fn retry_event(&self, id: u64, now: jiff::Timestamp) -> Result<Option<OutboxEvent>, Error> {
        self.as_writer(|connection| {
            connection
                .prepare_cached("UPDATE outbox SET state = 'pending', due = ?2, attempts = 0 WHERE id = ?1")?
                .execute(params![id, now.as_millisecond()])?;
            let mut find = connection.prepare_cached("SELECT * FROM outbox WHERE id = ?1")?;
            find.query_and_then([id], event)?.next().transpose()
        })
    }

    /// Deletes an event. Returns whether it existed.
    pub fn drop_event(&self, id: u64) -> Result<bool, Error> {
        self.as_writer(|connection| {
            let there = connection.execute("DELETE FROM outbox WHERE id = ?1", [id])? > 0;
            room::forget_chains(connection)?;
            Ok(there)
        })
    }

    /// Deletes every event of a plugin. Returns how many there were.
    pub fn drop_events_of(&self, plugin: &str) -> Result<u64, Error> {
        self.as_writer(|connection| drop_all(connection, plugin))
    }
}

/// The chain of changes to which the events of one change belong.
struct Chain {
    hops: u32,
    root: Revision,
    led_by: Vec<String>,
}

impl Chain {
    /// Returns the chain after an event whose proposal made `revision`; without an event, that revision begins a chain.
    fn after(delivers: Option<&OutboxEvent>, revision: Revision) -> Self {
        match delivers {
            Some(OutboxEvent { hops, root, led_by, plugin, .. }) => {
                let led_by = led_by.iter().chain([plugin]).cloned().collect();
                Self { hops: hops.saturating_add(1), root: *root, led_by }
            }
            None => Self { hops: 0, root: revision, led_by: Vec::new() },
        }
    }
}

/// Deletes the events of the plugins that are deleted.
pub(super) fn forget_deleted(connection: &Connection, changed: &[Changed]) -> Result<(), Error> {
    let is_plugin = |it: &&Changed| it.how == How::Deleted && it.collection == Kind::Plugin.collection();
    changed.iter().filter(is_plugin).try_for_each(|it| drop_all(connection, &it.name).map(drop))
}

fn drop_all(connection: &Connection, plugin: &str) -> Result<u64, Error> {
    let dropped = connection.prepare_cached("DELETE FROM outbox WHERE plugin = ?1")?.execute([plugin])?;
    room::forget_chains(connection)?;
    Ok(dropped as u64)
}

/// Returns the event whose turn it is: the first that is due and free, of the plugins after `served` by name, and then
/// of the others. Leased events are few, because each server holds one at a time.
fn next_due(
    connection: &Connection,
    now: i64,
    served: &str,
    is_gone: impl Fn(&str) -> bool,
) -> Result<Option<u64>, Error> {
    const AFTER: &str = "SELECT id, CASE WHEN taken > ?1 THEN holder END FROM outbox
         WHERE state = 'pending' AND due <= ?1 AND plugin > ?2 ORDER BY plugin, due, id";
    const UP_TO: &str = "SELECT id, CASE WHEN taken > ?1 THEN holder END FROM outbox
         WHERE state = 'pending' AND due <= ?1 AND plugin <= ?2 ORDER BY plugin, due, id";
    for turn in [AFTER, UP_TO] {
        let mut find = connection.prepare_cached(turn)?;
        let mut due = find.query(params![now, served])?;
        while let Some(row) = due.next()? {
            let holder: Option<String> = row.get(1)?;
            if holder.is_none_or(|holder| is_gone(&holder)) {
                return Ok(Some(row.get(0)?));
            }
        }
    }
    Ok(None)
}

fn insert(connection: &Connection, event: &NewEvent, revision: Revision, chain: &Chain) -> Result<(), Error> {
    let NewEvent { event, plugin, step, message, body } = event;
    let Chain { hops, root, led_by } = chain;
    let (due, body) = (jiff::Timestamp::now().as_millisecond(), body.to_string());
    connection
        .prepare_cached(
            "INSERT INTO outbox (event, revision, plugin, step, message, body, size, hops, root, led_by, state, attempts, due)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'pending', 0, ?11)",
        )?
        .execute(params![
            event, revision.0, plugin, step, message, body, body.len(), hops, root.0, led_by.join(" "), due
        ])?;
    Ok(())
}

/// Deletes an event. Refuses if another process deleted it: then its proposal is written already.
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
        root: Revision(row.get("root")?),
        led_by: row.get::<_, String>("led_by")?.split_whitespace().map(str::to_owned).collect(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::domain::{AnyItem, Kind};
    use crate::store::Change;

    use super::*;

    /// Returns a store with so many events.
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
            ("another process holds it", 1, "second", "", None),
            ("another process is gone", 1, "second", "third", None),
            ("who held it is gone", 1, "second", "first", Some(2)),
            ("it is held by who took it over", 2, "third", "first", None),
            ("its time is over", 62, "third", "", Some(3)),
        ];
        for (why, seconds, holder, gone, attempt) in tries {
            let now = begun + jiff::SignedDuration::from_secs(seconds);
            let is_gone = |holder: &str| holder == gone;
            assert_eq!(store.is_event_due(now, is_gone).unwrap(), attempt.is_some(), "{why}");
            let taken = store.take_event(now, 60, holder, "", is_gone).unwrap();
            assert_eq!(taken.map(|event| event.attempts), attempt, "{why}");
        }
    }

    #[test]
    fn what_somebody_holds_keeps_nobody_from_the_next() {
        let (_folder, store) = store(2);
        let now = jiff::Timestamp::now();
        let take = |holder| store.take_event(now, 60, holder, "", |_| false).unwrap().map(|event| event.event);
        assert_eq!(take("first").as_deref(), Some("question 1"));
        assert_eq!(take("second").as_deref(), Some("question 2"));
        assert_eq!(take("third"), None);
    }

    #[test]
    fn what_was_put_back_is_held_by_nobody() {
        let (_folder, store) = store(1);
        let now = jiff::Timestamp::now();
        let taken = store.take_event(now, 60, "first", "", |_| false).unwrap().unwrap();
        let put_back = |holder| {
            store.put_event_back(&taken, holder, EventState::Pending, now, 1, "plugin.failed", "no luck").unwrap()
        };
        assert!(put_back("first"));
        let again = store.take_event(now, 60, "second", "", |_| false).unwrap().unwrap();
        assert_eq!((again.attempts, again.code.as_deref()), (2, Some("plugin.failed")));
        assert!(!put_back("first"), "another process holds it");
        assert!(store.take_event(now, 60, "third", "", |_| false).unwrap().is_none(), "and goes on holding it");
    }

    #[test]
    fn who_has_a_question_put_again_is_not_overruled_by_whoever_holds_it() {
        let (_folder, store) = store(1);
        let now = jiff::Timestamp::now();
        let taken = store.take_event(now, 60, "first", "", |_| false).unwrap().unwrap();
        assert_eq!(store.retry_event(taken.id, now).unwrap().unwrap().attempts, 0);
        let put_back = store.put_event_back(&taken, "first", EventState::Dead, now, 8, "plugin.failed", "no luck");
        assert!(!put_back.unwrap());
        let again = store.take_event(now, 60, "second", "", |_| false).unwrap().unwrap();
        assert_eq!((again.attempts, again.state, again.code), (1, EventState::Pending, None));
    }
}
