//! What became of versions on trial: how often they were asked, how often they broke, and in what they differed.
//!
//! Counted for a pair of components, so that another version to compare with is another count.

use rusqlite::{OptionalExtension, TransactionBehavior};

use crate::domain::Digest;
use crate::domain::comparison::{Difference, Differences, FieldDifference};

use super::super::{Error, lock};
use super::RecordingLog;

/// The two components a trial is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TrialKey {
    /// The plugin, as `publisher/name`.
    pub plugin: String,
    /// What serves.
    pub serving: Digest,
    /// What is tried.
    pub tried: Digest,
}

/// What became of a trial.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tried {
    /// How often the version was asked.
    pub asked: u64,
    /// How often it decided otherwise than the one that serves, where both were asked.
    pub different: u64,
    /// How often it broke.
    pub broke: u64,
    /// How it broke last.
    pub last: Option<String>,
    /// In what it differed.
    pub differences: Vec<Difference>,
}

/// One call of a version on trial.
#[derive(Debug, Clone, Copy)]
pub struct TrialCall<'a> {
    /// The profile in force.
    pub profile: &'a str,
    /// The tool kind.
    pub tool: &'a str,
    /// Who it was about.
    pub login: Option<&'a str>,
    /// How it broke, if it did.
    pub broke: Option<&'a str>,
    /// In what it differed, if both versions were asked.
    pub differences: &'a [FieldDifference],
}

impl RecordingLog {
    /// Counts a call of a version on trial. Answers how often it broke so far.
    pub fn count_trial(&self, key: &TrialKey, call: TrialCall<'_>) -> Result<u64, Error> {
        let TrialKey { plugin, serving, tried } = key;
        let TrialCall { profile, tool, login, broke, differences } = call;
        let mut connection = lock(&self.connection);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let broken: u64 = transaction
            .prepare_cached(
                "INSERT INTO trial (plugin, serving, tried, asked, different, broke, last)
                 VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6)
                 ON CONFLICT DO UPDATE SET asked = asked + 1, different = different + excluded.different,
                    broke = broke + excluded.broke, last = coalesce(excluded.last, last)
                 RETURNING broke",
            )?
            .query_row(
                (plugin, serving.as_str(), tried.as_str(), !differences.is_empty(), broke.is_some(), broke),
                |row| row.get(0),
            )?;
        let users: Vec<String> = login.map(str::to_owned).into_iter().collect();
        for difference in differences {
            let place = (plugin, serving.as_str(), tried.as_str(), profile, tool, &difference.field);
            let known: Option<String> = transaction
                .prepare_cached(
                    "SELECT body FROM trial_difference WHERE plugin = ?1 AND serving = ?2 AND tried = ?3 AND profile = ?4
                        AND tool = ?5 AND field = ?6",
                )?
                .query_row(place, |row| row.get(0))
                .optional()?;
            let mut counted = Differences::default();
            if let Some(known) = known {
                counted.merge(parse(&known)?);
            }
            counted.add(profile, tool, &users, std::slice::from_ref(difference), 1);
            for counted in counted.into_list(&[]) {
                let body = serde_json::to_string(&counted).map_err(|error| Error::Corrupt(error.into()))?;
                transaction
                    .prepare_cached(
                        "INSERT INTO trial_difference (plugin, serving, tried, profile, tool, field, body)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE SET body = excluded.body",
                    )?
                    .execute((plugin, serving.as_str(), tried.as_str(), profile, tool, &difference.field, body))?;
            }
        }
        transaction.commit()?;
        Ok(broken)
    }

    /// What became of a trial so far.
    pub fn trial(&self, key: &TrialKey) -> Result<Tried, Error> {
        let TrialKey { plugin, serving, tried } = key;
        let connection = lock(&self.connection);
        let pair = (plugin, serving.as_str(), tried.as_str());
        let counted = connection
            .prepare_cached(
                "SELECT asked, different, broke, last FROM trial WHERE plugin = ?1 AND serving = ?2 AND tried = ?3",
            )?
            .query_row(pair, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
            .optional()?;
        let Some((asked, different, broke, last)) = counted else { return Ok(Tried::default()) };
        let mut find = connection.prepare_cached(
            "SELECT body FROM trial_difference WHERE plugin = ?1 AND serving = ?2 AND tried = ?3
                ORDER BY profile, tool, field",
        )?;
        let bodies = find.query_map(pair, |row| row.get::<_, String>(0))?;
        let differences = bodies.map(|body| parse(&body?)).collect::<Result<_, Error>>()?;
        Ok(Tried { asked, different, broke, last, differences })
    }

    /// Forgets what became of a trial, so that another one begins at nothing.
    pub fn forget_trial(&self, plugin: &str, tried: &Digest) -> Result<(), Error> {
        let mut connection = lock(&self.connection);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for sql in [
            "DELETE FROM trial WHERE plugin = ?1 AND tried = ?2",
            "DELETE FROM trial_difference WHERE plugin = ?1 AND tried = ?2",
        ] {
            transaction.execute(sql, (plugin, tried.as_str()))?;
        }
        transaction.commit()?;
        Ok(())
    }
}

fn parse(body: &str) -> Result<Difference, Error> {
    serde_json::from_str(body).map_err(|error| Error::Corrupt(error.into()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn calls_of_a_trial_are_counted_by_pair_of_components() {
        let folder = tempfile::tempdir().unwrap();
        let log = RecordingLog::open(folder.path(), 3).unwrap();
        let [one, two, three] = ["1", "2", "3"].map(|digit| digit.repeat(64).parse::<Digest>().unwrap());
        let pair = |tried: &Digest| TrialKey { plugin: "a/b".to_owned(), serving: one.clone(), tried: tried.clone() };
        let field = FieldDifference { field: "payload.a".to_owned(), before: Some(json!(1)), after: Some(json!(2)) };
        let call = TrialCall { profile: "rep", tool: "scripts", login: Some("kayla"), broke: None, differences: &[] };
        let different = std::slice::from_ref(&field);
        let calls = [
            call,
            TrialCall { differences: different, ..call },
            TrialCall { broke: Some("it trapped"), ..call },
            TrialCall { differences: different, login: Some("omar"), ..call },
        ];
        let broke: Vec<u64> = calls.into_iter().map(|call| log.count_trial(&pair(&two), call).unwrap()).collect();
        assert_eq!(broke, [0, 0, 1, 1]);
        log.count_trial(&pair(&three), call).unwrap();
        let tried = log.trial(&pair(&two)).unwrap();
        assert_eq!((tried.asked, tried.different, tried.broke, tried.last.as_deref()), (4, 2, 1, Some("it trapped")));
        let found: Vec<_> = tried.differences.iter().map(|it| (it.field.as_str(), it.count, it.users.len())).collect();
        assert_eq!(found, [("payload.a", 2, 2)]);
        log.forget_trial("a/b", &two).unwrap();
        assert_eq!(log.trial(&pair(&two)).unwrap(), Tried::default());
        assert_eq!(log.trial(&pair(&three)).unwrap().asked, 1);
    }
}
