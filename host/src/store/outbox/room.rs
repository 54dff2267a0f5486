//! How much room the outbox has for a plugin, for all plugins together, and within one chain of changes.
//!
//! A change is never refused because too many events wait. If a plugin has used up its share, no event is written for
//! it, and the author of the change is told which plugin that is. Events are written for it again as soon as fewer
//! wait.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use super::{Chain, NewEvent, Unasked};
use crate::store::Error;

/// The most events of one plugin that wait, and their most bytes.
const OF_A_PLUGIN: Share = Share { questions: 2_000, bytes: 64 << 20 };

/// The most events of all plugins that wait, and their most bytes.
const OF_ALL: Share = Share { questions: 10_000, bytes: 256 << 20 };

/// The share of a plugin even if others have taken all the rest.
const ASSURED: Share = Share { questions: 100, bytes: 4 << 20 };

/// The most events for one plugin in a chain of changes that steps proposed.
const IN_A_CHAIN: u64 = 256;

/// The most dead events of one plugin that are kept, and their most bytes. The newest are kept.
const DEAD: Share = Share { questions: 1_000, bytes: 64 << 20 };

/// The code for too many waiting events.
const FULL: &str = "outbox.full";

/// The code for a chain of changes that led to too many events.
const CHAIN: &str = "outbox.chain";

/// A number of events, and their bytes.
#[derive(Debug, Clone, Copy, Default)]
struct Share {
    questions: u64,
    bytes: u64,
}

impl Share {
    /// Returns whether one more event of `size` bytes is too much. A first event is never too large.
    fn is_full(self, most: Self, size: u64) -> bool {
        self.questions >= most.questions || (self.questions > 0 && self.bytes.saturating_add(size) > most.bytes)
    }

    fn add(&mut self, size: u64) {
        self.questions += 1;
        self.bytes = self.bytes.saturating_add(size);
    }
}

/// The waiting events of one plugin, and its events in the chain.
struct Plugin {
    waiting: Share,
    /// How many events the chain had for this plugin.
    in_chain: u64,
}

/// Hands the events for which there is room to `insert`. Returns the others.
pub(super) fn ask(
    connection: &Connection,
    events: &[NewEvent],
    chain: &Chain,
    insert: impl Fn(&NewEvent) -> Result<(), Error>,
) -> Result<Vec<Unasked>, Error> {
    let mut unasked = Vec::new();
    if events.is_empty() {
        return Ok(unasked);
    }
    let mut all = waiting(connection, None)?;
    let mut plugins: BTreeMap<&str, Plugin> = BTreeMap::new();
    for event in events {
        if !plugins.contains_key(event.plugin.as_str()) {
            let waiting = waiting(connection, Some(&event.plugin))?;
            let in_chain = asked_in(connection, chain, &event.plugin)?;
            plugins.insert(&event.plugin, Plugin { waiting, in_chain });
        }
        let Some(plugin) = plugins.get_mut(event.plugin.as_str()) else { continue };
        let size = event.body.to_string().len() as u64;
        let crowded = all.is_full(OF_ALL, size) && plugin.waiting.is_full(ASSURED, size);
        let (name, waiting) = (&event.plugin, plugin.waiting.questions);
        let refused = if chain.hops > 0 && plugin.in_chain >= IN_A_CHAIN {
            let message = format!(
                "plugin `{name}` was asked {IN_A_CHAIN} times about what steps proposed after revision {}: it is asked no more about that, so look at the steps that go on proposing, with `GET /api/v1/revisions`",
                chain.root
            );
            Some((CHAIN, message))
        } else if plugin.waiting.is_full(OF_A_PLUGIN, size) || crowded {
            let message = format!(
                "{waiting} questions to plugin `{name}` wait, and there is no room for more: it is asked again when fewer wait; `DELETE /api/v1/outbox?plugin={name}` drops them"
            );
            Some((FULL, message))
        } else {
            None
        };
        match refused {
            Some((code, message)) => {
                unasked.push(Unasked { plugin: name.clone(), step: event.step.clone(), code, message });
            }
            None => {
                insert(event)?;
                all.add(size);
                plugin.waiting.add(size);
                plugin.in_chain += 1;
            }
        }
    }
    if chain.hops > 0 {
        for (name, Plugin { in_chain, .. }) in plugins {
            connection
                .prepare_cached(
                    "INSERT INTO outbox_chain (root, plugin, asked) VALUES (?1, ?2, ?3)
                     ON CONFLICT (root, plugin) DO UPDATE SET asked = excluded.asked",
                )?
                .execute(params![chain.root.0, name, in_chain])?;
        }
    }
    Ok(unasked)
}

/// Returns the waiting events of one plugin, or of all.
fn waiting(connection: &Connection, plugin: Option<&str>) -> Result<Share, Error> {
    let share = |row: &rusqlite::Row<'_>| Ok(Share { questions: row.get(0)?, bytes: row.get(1)? });
    Ok(match plugin {
        Some(plugin) => connection
            .prepare_cached(
                "SELECT count(*), coalesce(sum(size), 0) FROM outbox WHERE state = 'pending' AND plugin = ?1",
            )?
            .query_row([plugin], share)?,
        None => connection
            .prepare_cached("SELECT count(*), coalesce(sum(size), 0) FROM outbox WHERE state = 'pending'")?
            .query_row([], share)?,
    })
}

/// Returns how many events a chain had for a plugin.
fn asked_in(connection: &Connection, chain: &Chain, plugin: &str) -> Result<u64, Error> {
    let mut find = connection
        .prepare_cached("SELECT coalesce(max(asked), 0) FROM outbox_chain WHERE root = ?1 AND plugin = ?2")?;
    Ok(find.query_row(params![chain.root.0, plugin], |row| row.get(0))?)
}

/// Deletes the counts of chains that have no event any more.
pub(super) fn forget_chains(connection: &Connection) -> Result<(), Error> {
    connection
        .prepare_cached(
            "DELETE FROM outbox_chain WHERE NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.root = outbox_chain.root)",
        )?
        .execute([])?;
    Ok(())
}

/// Deletes the oldest dead events of a plugin, if there are too many.
pub(super) fn forget_oldest_dead(connection: &Connection, plugin: &str) -> Result<(), Error> {
    let dropped = connection
        .prepare_cached(
            "DELETE FROM outbox WHERE id IN (SELECT id FROM (
                 SELECT id, row_number() OVER newest AS place, sum(size) OVER newest AS bytes
                 FROM outbox WHERE state = 'dead' AND plugin = ?1 WINDOW newest AS (ORDER BY due DESC, id DESC)
             ) AS dead WHERE place > ?2 OR (place > 1 AND bytes > ?3))",
        )?
        .execute(params![plugin, DEAD.questions, DEAD.bytes])?;
    if dropped > 0 {
        tracing::warn!(dropped, "the oldest questions to `{plugin}` that were given up are dropped: too many are kept");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::revision::Author;
    use crate::domain::{AnyItem, Kind, Plugin as PluginItem};
    use crate::store::{Change, ChangeSet, EventState, Expect, OutboxEvent, Store};

    /// A store. Each call of `ask` commits one change with so many events for each plugin.
    struct Asking {
        _folder: tempfile::TempDir,
        store: Store,
        changes: std::cell::Cell<u32>,
    }

    impl Asking {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let store = Store::open(folder.path()).unwrap();
            Self { _folder: folder, store, changes: std::cell::Cell::new(0) }
        }

        fn ask(&self, asked: &[(&str, usize)], after: Option<&OutboxEvent>) -> Vec<Unasked> {
            let change = self.changes.get() + 1;
            self.changes.set(change);
            let queue = AnyItem::parse(Kind::Queue, "desk", json!({"name": format!("Desk {change}")})).unwrap();
            let of = |(plugin, count): &(&str, usize)| {
                let question = |at| NewEvent {
                    event: format!("{change}/{plugin}/{at}"),
                    plugin: (*plugin).to_owned(),
                    step: "later".to_owned(),
                    message: "queue.update".to_owned(),
                    body: json!({}),
                };
                (0..*count).map(question).collect::<Vec<_>>()
            };
            let events: Vec<_> = asked.iter().flat_map(of).collect();
            let changes = ChangeSet::new([Change::put("desk", queue)]);
            self.store.commit_with_events(changes, &Author::new("ada", "a test"), &events, after).unwrap().1
        }

        /// Takes an event, in the turn after the plugin `served`.
        fn take(&self, served: &str) -> Option<OutboxEvent> {
            self.store.take_event(jiff::Timestamp::now(), 60, "server", served, |_| true).unwrap()
        }

        fn count(&self, of: &str) -> usize {
            let events = self.store.events(None, 0, 100_000).unwrap();
            events.iter().filter(|event| event.plugin == of).count()
        }
    }

    #[test]
    fn a_plugin_that_is_asked_too_much_is_refused_by_name_and_others_are_asked() {
        let asking = Asking::new();
        let most = usize::try_from(OF_A_PLUGIN.questions).unwrap();
        let unasked = asking.ask(&[("evil/storm", most + 5), ("contoso/honest", 1)], None);
        assert_eq!(unasked.len(), 5);
        assert!(unasked.iter().all(|it| it.plugin == "evil/storm" && it.code == FULL), "{unasked:?}");
        assert!(unasked[0].message.contains("DELETE /api/v1/outbox?plugin=evil/storm"), "{unasked:?}");
        // As soon as one event is answered there is room for one.
        let first = asking.take("contoso/honest").unwrap();
        assert_eq!(first.plugin, "evil/storm");
        asking.store.finish_event(first.id).unwrap();
        assert_eq!(asking.ask(&[("evil/storm", 2)], None).len(), 1);
    }

    #[test]
    fn a_plugin_with_few_questions_is_asked_although_others_took_all_room() {
        let asking = Asking::new();
        let most = usize::try_from(OF_A_PLUGIN.questions).unwrap();
        let flood: Vec<String> = (0..6).map(|at| format!("evil/storm{at}")).collect();
        let flood: Vec<_> = flood.iter().map(|name| (name.as_str(), most)).collect();
        let refused = asking.ask(&flood, None).len() as u64;
        assert_eq!(refused, OF_A_PLUGIN.questions * 6 - OF_ALL.questions - ASSURED.questions, "the last has its share");
        assert_eq!(asking.ask(&[("contoso/honest", 3)], None), []);
    }

    #[test]
    fn plugins_take_turns_whatever_waits_of_another() {
        let asking = Asking::new();
        asking.ask(&[("evil/storm", 50)], None);
        asking.ask(&[("contoso/honest", 2), ("zeta/late", 1)], None);
        let mut served = String::new();
        let turns: Vec<String> = (0..6)
            .map(|_| {
                served = asking.take(&served).unwrap().plugin;
                served.clone()
            })
            .collect();
        // `is_gone` is always true, so each event is free again at once: only the turn decides.
        let expected = ["contoso/honest", "evil/storm", "zeta/late"].repeat(2);
        assert_eq!(turns, expected);
    }

    #[test]
    fn a_chain_of_proposals_comes_to_its_end_and_is_forgotten_with_its_last_question() {
        let asking = Asking::new();
        asking.ask(&[("evil/first", 1)], None);
        let first = asking.take("").unwrap();
        let width = usize::try_from(IN_A_CHAIN).unwrap() + 9;
        let unasked = asking.ask(&[("evil/second", width)], Some(&first));
        assert_eq!((unasked.len(), unasked[0].code), (9, CHAIN));
        let second = asking.take("").unwrap();
        assert_eq!(
            (second.hops, second.root, second.led_by.as_slice()),
            (1, first.root, &["evil/first".to_owned()][..])
        );
        assert_eq!(
            asking.ask(&[("evil/second", 1), ("contoso/honest", 1)], Some(&second)).len(),
            1,
            "of the same chain"
        );
        assert_eq!(asking.ask(&[("evil/second", 1)], None), [], "a chain of its own");
        let chains = || {
            let count = |connection: &Connection| {
                Ok(connection.query_row("SELECT count(*) FROM outbox_chain", [], |row| row.get::<_, u32>(0))?)
            };
            asking.store.read(count).unwrap()
        };
        assert_eq!(chains(), 2);
        asking.store.drop_events_of("evil/second").unwrap();
        assert_eq!(chains(), 2, "a question of the chain is left");
        asking.store.drop_events_of("contoso/honest").unwrap();
        assert_eq!(chains(), 0);
    }

    #[test]
    fn questions_go_with_their_plugin() {
        let asking = Asking::new();
        let author = Author::new("ada", "a test");
        asking.store.commit(ChangeSet::new([Change::put("evil/storm", PluginItem::default())]), &author).unwrap();
        asking.ask(&[("evil/storm", 20), ("contoso/honest", 2)], None);
        let gone =
            Change::Delete { kind: Kind::Plugin, name: "evil/storm".into(), expect: Expect::Anything, force: false };
        asking.store.rehearse(ChangeSet::new([gone.clone()]), &author).unwrap();
        assert_eq!(asking.count("evil/storm"), 20, "a rehearsal takes nothing");
        asking.store.commit(ChangeSet::new([gone]), &author).unwrap();
        assert_eq!((asking.count("evil/storm"), asking.count("contoso/honest")), (0, 2));
    }

    #[test]
    fn of_the_dead_the_newest_are_kept() {
        let asking = Asking::new();
        let most = usize::try_from(DEAD.questions).unwrap();
        asking.ask(&[("evil/storm", most + 1), ("contoso/honest", 1)], None);
        let kill = "UPDATE outbox SET state = 'dead' WHERE plugin = 'evil/storm' AND id > 1";
        asking.store.as_writer(|connection| Ok(connection.execute(kill, [])?)).unwrap();
        let mut last = asking.take("contoso/honest").unwrap();
        last.attempts = 1;
        let now = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(1);
        asking.store.put_event_back(&last, "server", EventState::Dead, now, 8, "plugin.failed", "no luck").unwrap();
        assert_eq!((asking.count("evil/storm"), asking.count("contoso/honest")), (most, 1));
        assert!(asking.store.event(last.id).unwrap().is_some(), "it died last");
        assert!(asking.store.event(2).unwrap().is_none(), "it died first");
    }
}
