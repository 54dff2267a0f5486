//! Counts the calls of versions on trial: how many there were, how many failed, and in which fields the answers
//! differed.
//!
//! A count belongs to a version and the component it is compared with. Keeps neither values nor names of people, so a
//! trial goes on where nothing may be recorded.

use rusqlite::{OptionalExtension, TransactionBehavior};

use crate::domain::{Digest, Revision};

use super::super::{Error, lock};
use super::RecordingLog;

/// The most fields that are counted for one trial. A difference in a further field only counts as a different call.
const FIELDS: usize = 500;

/// The longest name of a field that is kept, in characters.
const LONGEST_FIELD: usize = 200;

/// The plugin and the components of a trial.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TrialKey {
    /// The plugin, as `publisher/name`.
    pub plugin: String,
    /// The component that serves.
    pub serving: Digest,
    /// The component on trial.
    pub tried: Digest,
    /// The revision with which the trial began.
    pub since: Revision,
}

/// The counts of a trial.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tried {
    /// The number of calls of the version on trial.
    pub asked: u64,
    /// The number of calls with another decision than that of the version that serves, where both were called.
    pub different: u64,
    /// The number of calls that failed.
    pub broke: u64,
    /// The code of the last failure.
    pub last: Option<String>,
    /// The fields in which answers differed.
    pub fields: Vec<FieldCount>,
}

/// The number of calls in which a version on trial differed in one field.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[schema(as = RolloutDifference)]
pub struct FieldCount {
    /// The profile.
    pub profile: String,
    /// The tool kind.
    pub tool: String,
    /// The field, as a path.
    pub field: String,
    /// The number of calls that differ in the field.
    pub count: u64,
}

/// Calls of a version on trial, to be counted.
#[derive(Debug, Clone, Default)]
pub struct TrialCalls<'a> {
    /// The number of calls.
    pub asked: u64,
    /// The number of calls that failed.
    pub broke: u64,
    /// The code of the last failure.
    pub last: Option<&'a str>,
    /// If both versions were called once about the same question: its profile, its tool kind, and the fields that
    /// differ.
    pub differs: Option<(&'a str, &'a str, Vec<&'a str>)>,
}

impl RecordingLog {
    /// Counts calls of a version on trial. Returns how many have failed so far.
    pub fn count_trial(&self, key: &TrialKey, calls: &TrialCalls<'_>) -> Result<u64, Error> {
        let TrialKey { plugin, serving, tried, since } = key;
        let (serving, tried) = (serving.as_str(), tried.as_str());
        let mut connection = lock(&self.connection);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let different = calls.differs.as_ref().is_some_and(|(_, _, fields)| !fields.is_empty());
        let broke: u64 = transaction
            .prepare_cached(
                "INSERT INTO trial (plugin, serving, tried, since, asked, different, broke, last)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                 ON CONFLICT DO UPDATE SET asked = asked + excluded.asked, different = different + excluded.different,
                    broke = broke + excluded.broke, last = coalesce(excluded.last, last)
                 RETURNING broke",
            )?
            .query_row((plugin, serving, tried, since.0, calls.asked, different, calls.broke, calls.last), |row| {
                row.get(0)
            })?;
        if let Some((profile, tool, fields)) = &calls.differs {
            let known: usize = transaction
                .prepare_cached(
                    "SELECT count(*) FROM trial_difference WHERE plugin = ?1 AND serving = ?2 AND tried = ?3 AND since = ?4",
                )?
                .query_row((plugin, serving, tried, since.0), |row| row.get(0))?;
            for field in fields.iter().take(FIELDS.saturating_sub(known)) {
                let field: String = field.chars().take(LONGEST_FIELD).collect();
                transaction
                    .prepare_cached(
                        "INSERT INTO trial_difference (plugin, serving, tried, since, profile, tool, field, count)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1) ON CONFLICT DO UPDATE SET count = count + 1",
                    )?
                    .execute((plugin, serving, tried, since.0, profile, tool, field))?;
            }
        }
        transaction.commit()?;
        Ok(broke)
    }

    /// Returns the counts of a trial so far.
    pub fn trial(&self, key: &TrialKey) -> Result<Tried, Error> {
        let TrialKey { plugin, serving, tried, since } = key;
        let connection = lock(&self.connection);
        let place = (plugin, serving.as_str(), tried.as_str(), since.0);
        let counted = connection
            .prepare_cached(
                "SELECT asked, different, broke, last FROM trial
                    WHERE plugin = ?1 AND serving = ?2 AND tried = ?3 AND since = ?4",
            )?
            .query_row(place, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
            .optional()?;
        let Some((asked, different, broke, last)) = counted else { return Ok(Tried::default()) };
        let mut find = connection.prepare_cached(
            "SELECT profile, tool, field, count FROM trial_difference
                WHERE plugin = ?1 AND serving = ?2 AND tried = ?3 AND since = ?4 ORDER BY profile, tool, field",
        )?;
        let fields = find.query_map(place, |row| {
            Ok(FieldCount { profile: row.get(0)?, tool: row.get(1)?, field: row.get(2)?, count: row.get(3)? })
        })?;
        Ok(Tried { asked, different, broke, last, fields: fields.collect::<Result<_, _>>()? })
    }

    /// Deletes the counts of trials of a plugin that began before `since`.
    pub fn forget_trials_before(&self, plugin: &str, since: Revision) -> Result<(), Error> {
        let mut connection = lock(&self.connection);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for sql in [
            "DELETE FROM trial WHERE plugin = ?1 AND since < ?2",
            "DELETE FROM trial_difference WHERE plugin = ?1 AND since < ?2",
        ] {
            transaction.execute(sql, (plugin, since.0))?;
        }
        transaction.commit()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_a_trial_are_counted_by_components_and_beginning() {
        let folder = tempfile::tempdir().unwrap();
        let log = RecordingLog::open(folder.path(), 3).unwrap();
        let [one, two] = ["1", "2"].map(|digit| digit.repeat(64).parse::<Digest>().unwrap());
        let trial = |since: u64| TrialKey {
            plugin: "a/b".to_owned(),
            serving: one.clone(),
            tried: two.clone(),
            since: Revision(since),
        };
        let differs = |fields: Vec<&'static str>| TrialCalls {
            asked: 1,
            differs: Some(("rep", "scripts", fields)),
            ..TrialCalls::default()
        };
        let broke = TrialCalls { asked: 2, broke: 2, last: Some("plugin.trapped"), ..TrialCalls::default() };
        let calls = [differs(vec![]), differs(vec!["payload.a", "items"]), broke, differs(vec!["payload.a"])];
        let broken: Vec<u64> = calls.iter().map(|call| log.count_trial(&trial(7), call).unwrap()).collect();
        assert_eq!(broken, [0, 0, 2, 2]);
        log.count_trial(&trial(8), &differs(vec![])).unwrap();
        let tried = log.trial(&trial(7)).unwrap();
        assert_eq!(
            (tried.asked, tried.different, tried.broke, tried.last.as_deref()),
            (5, 2, 2, Some("plugin.trapped"))
        );
        let found: Vec<_> = tried.fields.iter().map(|it| (it.field.as_str(), it.count)).collect();
        assert_eq!(found, [("items", 1), ("payload.a", 2)]);
        log.forget_trials_before("a/b", Revision(8)).unwrap();
        assert_eq!(log.trial(&trial(7)).unwrap(), Tried::default());
        assert_eq!(log.trial(&trial(8)).unwrap().asked, 1);
    }

    #[test]
    fn only_so_many_fields_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        let log = RecordingLog::open(folder.path(), 3).unwrap();
        let digest: Digest = "1".repeat(64).parse().unwrap();
        let key = TrialKey { plugin: "a/b".to_owned(), serving: digest.clone(), tried: digest, since: Revision(1) };
        let names: Vec<String> = (0..3 * FIELDS).map(|number| format!("payload.{number}")).collect();
        for names in names.chunks(FIELDS) {
            let fields = names.iter().map(String::as_str).collect();
            let calls = TrialCalls { asked: 1, differs: Some(("rep", "scripts", fields)), ..TrialCalls::default() };
            log.count_trial(&key, &calls).unwrap();
        }
        let tried = log.trial(&key).unwrap();
        assert_eq!((tried.different, tried.fields.len()), (3, FIELDS));
    }
}
