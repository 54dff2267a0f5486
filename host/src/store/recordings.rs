//! Recorded calls, in a side database that only its owner can read.
//!
//! The same question to the same component is kept once, with its last answer and the number of times it was seen.
//! Expired recordings are deleted whenever something is written or read, and by [`RecordingLog::expire`]; of one plugin
//! the newest [`RecordingLog::KEPT`] stay. Deleted and replaced content is overwritten on the disk, at the latest by
//! the next [`RecordingLog::expire`].

mod trials;

pub use trials::{FieldCount, TrialCalls, TrialKey, Tried};

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, named_params};

use crate::domain::comparison::EXAMPLES_MAX;
use crate::domain::trace::TraceId;
use crate::domain::{Digest, PluginVersion, RecordedStatus};

use super::side_database::SideDatabase;
use super::{Error, Store, lock};

/// The database.
const RECORDINGS: SideDatabase = SideDatabase {
    id: 0x4c6f_5265, // "LoRe"
    tables: include_str!("recordings.sql"),
    since: &["ALTER TABLE recording ADD COLUMN step TEXT"],
    // A recording is a copy made beside the answer, and no caller is promised that it is kept. A power cut may lose the
    // newest recordings; the file stays intact.
    written: ("WAL", "NORMAL"),
    private: true,
};

/// The recorded calls of one environment.
pub struct RecordingLog {
    connection: Mutex<Connection>,
    kept: usize,
    /// Whether the write-ahead log may still hold deleted or replaced content.
    is_unwiped: AtomicBool,
}

/// A recording, with the attributes by which it is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptRecording {
    /// The ID of the recording.
    pub id: TraceId,
    /// The plugin, as `publisher/name`.
    pub plugin: String,
    /// The version that was called.
    pub version: PluginVersion,
    /// The digest of the component.
    pub digest: Digest,
    /// The hash of the question.
    pub question: String,
    /// The tool kind; for a change of configuration its message.
    pub tool: String,
    /// The step that was called; `None` for the rule.
    pub step: Option<String>,
    /// The profile in force.
    pub profile: String,
    /// Some of the people the call was about, if people are kept.
    pub users: Vec<String>,
    /// The outcome, such as `shown` or `failed`.
    pub status: String,
    /// When the recording was made.
    pub at: jiff::Timestamp,
    /// When the recording expires.
    pub expires: jiff::Timestamp,
    /// How often the question was seen.
    pub seen: u64,
    /// The recording itself. Lists leave it out.
    pub document: String,
}

/// The people a question was about, each with the millisecond at which the name expires.
type Users = BTreeMap<String, i64>;

/// Which recordings are listed. All the conditions that are given hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordingFilter {
    /// The plugin, as `publisher/name`.
    pub plugin: Option<String>,
    /// The tool kind.
    pub tool: Option<String>,
    /// The profile of the people.
    pub profile: Option<String>,
    /// The outcome of the call.
    pub status: Option<RecordedStatus>,
}

impl RecordingLog {
    /// The name of the database within the data folder.
    pub const FILE: &str = "recordings.db";
    /// The most recordings of one plugin that are kept.
    pub const KEPT: usize = 2_000;
    /// The largest recording that is kept, in bytes.
    pub const LARGEST: usize = 256 << 10;

    fn open(folder: &Path, kept: usize) -> Result<Self, Error> {
        let file = folder.join(Self::FILE);
        let connection = RECORDINGS.open(&file)?;
        // An earlier process may have left deleted content in the log.
        Ok(Self { connection: Mutex::new(connection), kept, is_unwiped: AtomicBool::new(true) })
    }

    /// Keeps a recording. It replaces an older one of the same question to the same component, and keeps the ID of
    /// that. Returns false, and keeps nothing, if the recording is too large.
    pub fn keep(&self, recording: &KeptRecording) -> Result<bool, Error> {
        if recording.document.len() > Self::LARGEST {
            return Ok(false);
        }
        let KeptRecording { id, plugin, version, digest, question, tool, profile, .. } = recording;
        let KeptRecording { step, users, status, at, expires, seen, document, .. } = recording;
        let mut connection = lock(&self.connection);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let known: Option<String> = transaction
            .prepare_cached("SELECT users FROM recording WHERE plugin = ?1 AND digest = ?2 AND question = ?3")?
            .query_row((plugin, digest.as_str(), question), |row| row.get(0))
            .optional()?;
        let is_replaced = known.is_some();
        let mut people: Users = users.iter().map(|user| (user.clone(), expires.as_millisecond())).collect();
        // If the new recording names no people, the names of the older one are dropped, too.
        if !users.is_empty() {
            let known = known.map(|known| parse_users(&known)).transpose()?.unwrap_or_default();
            for (user, forgotten) in known {
                if people.len() < EXAMPLES_MAX && forgotten > at.as_millisecond() {
                    people.entry(user).or_insert(forgotten);
                }
            }
        }
        transaction
            .prepare_cached(
                "INSERT INTO recording
                    (id, plugin, digest, question, version, tool, step, profile, users, status, at, expires, seen, document)
                 VALUES (:id, :plugin, :digest, :question, :version, :tool, :step, :profile, :users, :status, :at, :expires,
                    :seen, :document)
                 ON CONFLICT (plugin, digest, question) DO UPDATE SET users = excluded.users, version = excluded.version,
                    status = excluded.status, at = excluded.at, expires = excluded.expires,
                    seen = seen + excluded.seen, document = excluded.document",
            )?
            .execute(named_params! {
                ":id": id.to_string(), ":plugin": plugin, ":digest": digest.as_str(), ":question": question,
                ":version": version.to_string(), ":tool": tool, ":step": step, ":profile": profile, ":users": serde_json::json!(people).to_string(),
                ":status": status, ":at": at.to_string(), ":expires": expires.as_millisecond(),
                ":seen": seen, ":document": document,
            })?;
        let too_many = transaction
            .prepare_cached(
                "DELETE FROM recording WHERE plugin = ?1 AND at <=
                    (SELECT at FROM recording WHERE plugin = ?1 ORDER BY at DESC LIMIT 1 OFFSET ?2)",
            )?
            .execute((plugin, self.kept))?;
        if is_replaced || too_many > 0 {
            self.is_unwiped.store(true, Relaxed);
        }
        self.forget(&transaction, *at)?;
        transaction.commit()?;
        Ok(true)
    }

    /// Deletes recordings that are expired at `now`, and overwrites on the disk what was deleted or replaced since the
    /// last time.
    pub fn expire(&self, now: jiff::Timestamp) -> Result<(), Error> {
        let connection = lock(&self.connection);
        self.forget(&connection, now)?;
        if self.is_unwiped.load(Relaxed) { self.wipe(&connection) } else { Ok(()) }
    }

    /// Returns up to `limit` recordings that match the filter, are not expired at `now` and are older than `after`, the
    /// newest first.
    pub fn list(
        &self,
        filter: &RecordingFilter,
        after: Option<TraceId>,
        limit: usize,
        now: jiff::Timestamp,
    ) -> Result<Vec<KeptRecording>, Error> {
        let RecordingFilter { plugin, tool, profile, status } = filter;
        let status = status.map(RecordedStatus::as_str);
        let connection = lock(&self.connection);
        self.forget(&connection, now)?;
        let mut find = connection.prepare_cached(
            "SELECT id, plugin, digest, question, version, tool, step, profile, users, status, at, expires, seen, '' AS document
                FROM recording WHERE (:plugin IS NULL OR plugin = :plugin) AND (:tool IS NULL OR tool = :tool) AND (:profile IS NULL OR profile = :profile) AND (:status IS NULL OR status = :status)
                AND (:after IS NULL OR id < :after) ORDER BY id DESC LIMIT :limit",
        )?;
        let after = after.map(|after| after.to_string());
        let found = find.query_and_then(
            named_params! { ":plugin": plugin, ":tool": tool, ":profile": profile, ":status": status, ":after": after,
            ":limit": limit },
            recording,
        )?;
        found.collect()
    }

    /// Returns one recording, if it exists and is not expired at `now`.
    pub fn one(&self, id: TraceId, now: jiff::Timestamp) -> Result<Option<KeptRecording>, Error> {
        let connection = lock(&self.connection);
        self.forget(&connection, now)?;
        let mut find = connection.prepare_cached("SELECT * FROM recording WHERE id = ?1")?;
        let found = find.query_and_then([id.to_string()], recording)?.next();
        found.transpose()
    }

    /// Deletes a recording. Returns whether it existed.
    pub fn remove(&self, id: TraceId) -> Result<bool, Error> {
        let connection = lock(&self.connection);
        let removed = connection.execute("DELETE FROM recording WHERE id = ?1", [id.to_string()])? > 0;
        self.wipe(&connection)?;
        Ok(removed)
    }

    /// Deletes all recordings of a plugin, and the counts of its trials. Returns how many recordings there were.
    pub fn clear(&self, plugin: &str) -> Result<usize, Error> {
        let connection = lock(&self.connection);
        let removed = connection.execute("DELETE FROM recording WHERE plugin = ?1", [plugin])?;
        connection.execute("DELETE FROM trial WHERE plugin = ?1", [plugin])?;
        connection.execute("DELETE FROM trial_difference WHERE plugin = ?1", [plugin])?;
        self.wipe(&connection)?;
        Ok(removed)
    }

    /// Deletes recordings that are expired at `now`. They stay on the disk until the log is wiped.
    fn forget(&self, connection: &Connection, now: jiff::Timestamp) -> Result<(), Error> {
        let mut delete = connection.prepare_cached("DELETE FROM recording WHERE expires <= ?1")?;
        if delete.execute([now.as_millisecond()])? > 0 {
            self.is_unwiped.store(true, Relaxed);
        }
        Ok(())
    }

    /// Empties the write-ahead log, which may still hold deleted content.
    fn wipe(&self, connection: &Connection) -> Result<(), Error> {
        // If a reader holds the log now, the next call empties it.
        let is_held: bool = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        self.is_unwiped.store(is_held, Relaxed);
        Ok(())
    }
}

fn parse_users(text: &str) -> Result<Users, Error> {
    serde_json::from_str(text).map_err(|error| Error::Corrupt(error.into()))
}

fn recording(row: &Row<'_>) -> Result<KeptRecording, Error> {
    let text = |column: &str| row.get::<_, String>(column);
    let corrupt = |error: Box<dyn std::error::Error + Send + Sync>| Error::Corrupt(error);
    Ok(KeptRecording {
        id: text("id")?.parse().map_err(|error| corrupt(Box::new(error)))?,
        plugin: text("plugin")?,
        version: text("version")?.parse().map_err(|error| corrupt(Box::new(error)))?,
        digest: text("digest")?.parse().map_err(|error| corrupt(Box::new(error)))?,
        question: text("question")?,
        tool: text("tool")?,
        step: row.get("step")?,
        profile: text("profile")?,
        users: parse_users(&text("users")?)?.into_keys().collect(),
        status: text("status")?,
        at: text("at")?.parse().map_err(|error: jiff::Error| corrupt(Box::new(error)))?,
        expires: jiff::Timestamp::from_millisecond(row.get("expires")?).map_err(|error| corrupt(Box::new(error)))?,
        seen: row.get("seen")?,
        document: text("document")?,
    })
}

impl Store {
    /// Returns the recorded calls, if there is a database of them.
    pub fn known_recordings(&self) -> Result<Option<&RecordingLog>, Error> {
        let is_there = self.recordings.get().is_some() || self.folder().join(RecordingLog::FILE).exists();
        is_there.then(|| self.recordings()).transpose()
    }

    /// Returns the recorded calls. Makes their database if there is none.
    pub fn recordings(&self) -> Result<&RecordingLog, Error> {
        if let Some(recordings) = self.recordings.get() {
            return Ok(recordings);
        }
        let opened = RecordingLog::open(self.folder(), RecordingLog::KEPT)?;
        Ok(self.recordings.get_or_init(|| opened))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> jiff::Timestamp {
        jiff::Timestamp::from_second(second).unwrap()
    }

    fn kept(second: i64, question: &str) -> KeptRecording {
        KeptRecording {
            id: TraceId::new(at(second), 1, u64::try_from(second).unwrap()),
            plugin: "tests/greeter".to_owned(),
            version: "1.0.0".parse().unwrap(),
            digest: "a".repeat(64).parse().unwrap(),
            question: question.to_owned(),
            tool: "scripts".to_owned(),
            step: None,
            profile: "rep".to_owned(),
            users: vec![format!("agent-{second}")],
            status: "shown".to_owned(),
            at: at(second),
            expires: at(second + 100),
            seen: 1,
            document: format!("recorded at {second}"),
        }
    }

    fn questions(log: &RecordingLog, now: i64) -> Vec<(String, u64)> {
        let found = log.list(&RecordingFilter::default(), None, 100, at(now)).unwrap();
        found.into_iter().map(|it| (it.question, it.seen)).collect()
    }

    #[test]
    fn a_question_is_kept_once_under_its_first_name_and_what_is_too_old_goes() {
        let folder = tempfile::tempdir().unwrap();
        let log = RecordingLog::open(folder.path(), 3).unwrap();
        for (second, question) in [(1, "a"), (2, "b"), (3, "a")] {
            assert!(log.keep(&kept(second, question)).unwrap());
        }
        let expected =
            |list: &[(&str, u64)]| list.iter().map(|(it, seen)| ((*it).to_owned(), *seen)).collect::<Vec<_>>();
        assert_eq!(questions(&log, 3), expected(&[("b", 1), ("a", 2)]));
        let newest = log.one(kept(1, "a").id, at(3)).unwrap().unwrap();
        let users = vec!["agent-1".to_owned(), "agent-3".to_owned()];
        assert_eq!((newest.document.as_str(), newest.users), ("recorded at 3", users));
        assert_eq!(log.one(kept(3, "a").id, at(3)).unwrap(), None);
        assert_eq!(questions(&log, 102), expected(&[("a", 2)]));
        for second in 110..120 {
            log.keep(&kept(second, &second.to_string())).unwrap();
        }
        assert_eq!(questions(&log, 120), expected(&[("119", 1), ("118", 1), ("117", 1)]), "the newest stay");
        assert!(log.remove(kept(118, "").id).unwrap() && !log.remove(kept(118, "").id).unwrap());
        assert_eq!((log.clear("tests/greeter").unwrap(), log.clear("tests/greeter").unwrap()), (2, 0));
    }

    #[test]
    fn who_is_not_named_any_more_is_forgotten_with_all_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let log = RecordingLog::open(folder.path(), 3).unwrap();
        let named = |second| log.one(kept(1, "a").id, at(second)).unwrap().map(|it| it.users).unwrap_or_default();
        log.keep(&kept(1, "a")).unwrap();
        log.keep(&kept(60, "a")).unwrap();
        assert_eq!(named(60), ["agent-1", "agent-60"]);
        log.keep(&kept(110, "a")).unwrap();
        assert_eq!(named(110), ["agent-110", "agent-60"], "the first one's time is over");
        log.keep(&KeptRecording { users: Vec::new(), ..kept(111, "a") }).unwrap();
        assert_eq!(named(111), [""; 0]);
    }

    #[test]
    fn what_is_too_large_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let log = RecordingLog::open(folder.path(), 3).unwrap();
        let large = KeptRecording { document: "x".repeat(RecordingLog::LARGEST + 1), ..kept(1, "a") };
        assert!(!log.keep(&large).unwrap());
        assert_eq!(questions(&log, 1), []);
    }

    #[test]
    fn what_an_older_program_recorded_is_still_there() {
        let folder = tempfile::tempdir().unwrap();
        let older = Connection::open(folder.path().join(RecordingLog::FILE)).unwrap();
        older.execute_batch(RECORDINGS.tables).unwrap();
        older.pragma_update(None, "application_id", RECORDINGS.id).unwrap();
        older.pragma_update(None, "user_version", 1).unwrap();
        let KeptRecording { id, plugin, version, digest, question, tool, profile, status, at: when, .. } = kept(1, "a");
        let users = serde_json::json!({"agent-1": 101_000}).to_string();
        older
            .execute(
                "INSERT INTO recording VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 101000, 1, 'recorded at 1')",
                rusqlite::params![
                    id.to_string(),
                    plugin,
                    digest.as_str(),
                    question,
                    version.to_string(),
                    tool,
                    profile,
                    users,
                    status,
                    when.to_string()
                ],
            )
            .unwrap();
        drop(older);
        let open = || RecordingLog::open(folder.path(), 3).unwrap();
        let asked = KeptRecording { step: Some("checks".to_owned()), ..kept(2, "b") };
        assert!(open().keep(&asked).unwrap());
        for expected in [kept(1, "a"), asked] {
            assert_eq!(open().one(expected.id, at(3)).unwrap(), Some(expected));
        }
    }

    #[test]
    fn what_goes_is_not_left_on_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let log = RecordingLog::open(folder.path(), 3).unwrap();
        let on_disk = || {
            let files =
                std::fs::read_dir(folder.path()).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap());
            files.collect::<Vec<_>>().concat().windows(8).any(|bytes| bytes == b"Lovelace")
        };
        let secret = KeptRecording { document: "Ada Lovelace".to_owned(), ..kept(1, "a") };
        log.keep(&secret).unwrap();
        assert!(on_disk());
        log.expire(at(101)).unwrap();
        assert!(!on_disk());
        log.keep(&secret).unwrap();
        log.clear("tests/greeter").unwrap();
        assert!(!on_disk());
        let questions_at = |second| log.list(&RecordingFilter::default(), None, 100, at(second)).unwrap().len();
        let ways: [(&str, &dyn Fn()); 5] = [
            ("listed when it was too old", &|| assert_eq!(questions_at(101), 0)),
            ("asked for when it was too old", &|| assert_eq!(log.one(secret.id, at(101)).unwrap(), None)),
            ("followed when it was too old", &|| assert!(log.keep(&kept(101, "b")).unwrap())),
            ("replaced", &|| assert!(log.keep(&kept(2, "a")).unwrap())),
            ("one too many", &|| (2..5).for_each(|at| assert!(log.keep(&kept(at, &at.to_string())).unwrap()))),
        ];
        for (way, go) in ways {
            log.keep(&secret).unwrap();
            go();
            assert!(on_disk(), "{way}: the sweep comes later");
            log.expire(at(2)).unwrap();
            assert!(!on_disk(), "{way}");
            log.clear("tests/greeter").unwrap();
        }
    }

    #[test]
    fn only_the_owner_can_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let log = RecordingLog::open(folder.path(), 3).unwrap();
        log.keep(&kept(1, "a")).unwrap();
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let file = file.unwrap();
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.file_name());
        }
    }
}
