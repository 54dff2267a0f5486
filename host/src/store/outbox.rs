//! Questions to asynchronous steps, on disk until they are answered.
//!
//! A question comes with the revision that asks for it, in one transaction, and goes with the one that writes what the step
//! proposed. So it is put at least once, and what it leads to is written exactly once. The process that puts a question
//! holds it for a while, by name; a process that ends without an answer lets it go when that while is over. Plugins take
//! turns, so the questions of one do not wait behind those of another, and how many wait is bounded (`room`).

mod room;

use std::cell::RefCell;

use rusqlite::{Connection, Row, params};
use serde_json::Value;

use crate::domain::revision::Author;
use crate::domain::{Kind, Revision};

use super::commit::End;
use super::{ChangeSet, Changed, Committed, Error, How, Store, rows};

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
}

/// A question that a change led to and that is not put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unasked {
    /// The plugin, as `publisher/name`.
    pub plugin: String,
    /// The step.
    pub step: String,
    /// Why, as a stable code.
    pub code: &'static str,
    /// The same in one sentence.
    pub message: String,
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
    /// The revision that the first of them was about.
    #[serde(skip)]
    pub root: Revision,
    /// The plugins whose proposals those changes were, as far as that was written down.
    #[serde(skip)]
    pub led_by: Vec<String>,
}

impl OutboxEvent {
    /// Whether what the step proposes is by a plugin, or led to by one, that is called `plugin`.
    pub fn is_led_by(&self, plugin: &str) -> bool {
        self.plugin == plugin || self.led_by.iter().any(|by| by == plugin)
    }
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
    /// Carries out `changes` and takes over the questions they lead to. The question `delivers`, which proposed the
    /// changes, is done with that. What comes back besides is not asked, because too much waits.
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

    /// Takes a question that is due, and holds it for `seconds` in the name of `holder`. It is the turn of the plugin
    /// that comes next after `served`, by name; of its questions, the one that is due first. One that is held is not
    /// taken, unless `is_gone` says that its holder no longer exists.
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

    /// Whether a question is due that nobody holds, or somebody of whom `is_gone` says that they no longer exist.
    pub fn is_event_due(&self, now: jiff::Timestamp, is_gone: impl Fn(&str) -> bool) -> Result<bool, Error> {
        self.read(|connection| Ok(next_due(connection, now.as_millisecond(), "", is_gone)?.is_some()))
    }

    /// A question was answered, and the answer changes nothing.
    pub fn finish_event(&self, id: u64) -> Result<(), Error> {
        self.as_writer(|connection| {
            finish(connection, id)?;
            room::forget_chains(connection)
        })
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

    /// Up to `limit` questions after the one with the number `after`, oldest first, without what they ask.
    pub fn events(&self, state: Option<EventState>, after: u64, limit: usize) -> Result<Vec<OutboxEvent>, Error> {
        self.read(|connection| {
            let mut find = connection.prepare_cached(
                "SELECT id, event, revision, plugin, step, message, 'null' AS body, hops, root, led_by, state, attempts, due, code, reason
                 FROM outbox WHERE id > ?1 AND (?2 IS NULL OR state = ?2) ORDER BY id LIMIT ?3",
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
        self.as_writer(|connection| {
            let there = connection.execute("DELETE FROM outbox WHERE id = ?1", [id])? > 0;
            room::forget_chains(connection)?;
            Ok(there)
        })
    }

    /// Drops every question of a plugin, and answers how many there were.
    pub fn drop_events_of(&self, plugin: &str) -> Result<u64, Error> {
        self.as_writer(|connection| drop_all(connection, plugin))
    }
}

/// Of which chain the questions are that a change leads to.
struct Chain {
    hops: u32,
    root: Revision,
    led_by: Vec<String>,
}

impl Chain {
    /// What follows a question whose proposal made `revision`; without one, that revision begins a chain.
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

/// What goes with the plugins that are deleted: their questions.
pub(super) fn forget_deleted(connection: &Connection, changed: &[Changed]) -> Result<(), Error> {
    let is_plugin = |it: &&Changed| it.how == How::Deleted && it.collection == Kind::Plugin.collection();
    changed.iter().filter(is_plugin).try_for_each(|it| drop_all(connection, &it.name).map(drop))
}

fn drop_all(connection: &Connection, plugin: &str) -> Result<u64, Error> {
    let dropped = connection.prepare_cached("DELETE FROM outbox WHERE plugin = ?1")?.execute([plugin])?;
    room::forget_chains(connection)?;
    Ok(dropped as u64)
}

/// The question whose turn it is: the first that is due and free, of the plugins after `served` by name, and then of
/// the others. Those that are held are few, because each server holds one at a time.
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
        assert!(!put_back("first"), "somebody else holds it");
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
