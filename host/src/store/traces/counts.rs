//! Exact counts of calls: in memory since the log was opened, and in the database by the hour.
//!
//! A call is counted before its record is queued, so a full queue loses records but no counts.

use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde::Serialize;

use crate::domain::trace::{CallTrace, Component, Tally};

use super::super::Error;

const HOUR: i64 = 3_600;

/// Counts of the calls of one version of a plugin, as one step.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CallStatistics {
    /// The plugin, as `publisher/name`.
    pub plugin: String,
    /// The version of the plugin.
    pub version: String,
    /// The name of the step; absent for calls that were not of a step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// Calls of this process since it started.
    pub since_start: Tally,
    /// Calls of all processes, hour by hour, the newest first. Hours without calls are left out.
    pub hours: Vec<HourTally>,
}

/// Counts of the calls of one hour.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct HourTally {
    /// When the hour began.
    #[schema(value_type = String, format = DateTime)]
    pub hour: jiff::Timestamp,
    /// The counts.
    #[serde(flatten)]
    pub calls: Tally,
}

/// The component and the step whose calls are counted together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Subject {
    component: Arc<Component>,
    step: Option<String>,
}

/// Counts of one log.
#[derive(Debug)]
pub(super) struct Counts {
    begun: jiff::Timestamp,
    total: BTreeMap<Subject, Tally>,
    /// Counts that are not in the database yet.
    fresh: BTreeMap<(Subject, i64), Tally>,
}

/// Counts that the writer takes to add them to the database.
pub(super) type Fresh = BTreeMap<(Subject, i64), Tally>;

/// Counts by the hour that were read from the database, by version and step.
pub(super) type Written = BTreeMap<(String, Option<String>), Vec<HourTally>>;

/// Returns the number of the hour of a time, counted from 1970.
pub(super) fn hour(at: jiff::Timestamp) -> i64 {
    at.as_second().div_euclid(HOUR)
}

impl Counts {
    pub(super) fn since(begun: jiff::Timestamp) -> Self {
        Self { begun, total: BTreeMap::new(), fresh: BTreeMap::new() }
    }

    pub(super) fn begun(&self) -> jiff::Timestamp {
        self.begun
    }

    /// Counts one call.
    pub(super) fn add(&mut self, trace: &CallTrace) {
        let subject = Subject { component: Arc::clone(&trace.component), step: trace.step.clone() };
        self.total.entry(subject.clone()).or_default().add(trace);
        self.fresh.entry((subject, hour(trace.at))).or_default().add(trace);
    }

    /// Takes the counts that are not in the database yet.
    pub(super) fn take(&mut self) -> Fresh {
        mem::take(&mut self.fresh)
    }

    /// Takes back counts that could not be written.
    pub(super) fn give_back(&mut self, fresh: Fresh) {
        for (key, tally) in fresh {
            self.fresh.entry(key).or_default().merge(&tally);
        }
    }

    pub(super) fn totals(&self) -> Vec<CallStatistics> {
        let mut totals: BTreeMap<(&str, &str, Option<&str>), Tally> = BTreeMap::new();
        for (Subject { component, step }, tally) in &self.total {
            let key = (component.plugin.as_str(), component.version.as_str(), step.as_deref());
            totals.entry(key).or_default().merge(tally);
        }
        let statistics = totals.into_iter().map(|((plugin, version, step), since_start)| CallStatistics {
            plugin: plugin.to_owned(),
            version: version.to_owned(),
            step: step.map(str::to_owned),
            since_start,
            hours: Vec::new(),
        });
        statistics.collect()
    }

    /// Returns the counts of one plugin, together with the `written` ones of the database.
    pub(super) fn with_hours(&self, plugin: &str, mut written: Written) -> Vec<CallStatistics> {
        let mut all: Vec<_> = self.totals().into_iter().filter(|statistics| statistics.plugin == plugin).collect();
        for statistics in &mut all {
            let key = (statistics.version.clone(), statistics.step.clone());
            statistics.hours = written.remove(&key).unwrap_or_default();
        }
        all.extend(written.into_iter().map(|((version, step), hours)| CallStatistics {
            plugin: plugin.to_owned(),
            version,
            step,
            since_start: Tally::default(),
            hours,
        }));
        all.sort_by(|a, b| (&a.version, &a.step).cmp(&(&b.version, &b.step)));
        all
    }
}

/// Adds counts to those in the database, where other processes add theirs.
pub(super) fn write(transaction: &Transaction<'_>, fresh: &Fresh) -> Result<(), Error> {
    let mut find = transaction
        .prepare_cached("SELECT body FROM tally WHERE plugin = ?1 AND version = ?2 AND step = ?3 AND hour = ?4")?;
    let mut put = transaction.prepare_cached("INSERT OR REPLACE INTO tally VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for ((Subject { component, step }, hour), tally) in fresh {
        let (plugin, version, step) = (&component.plugin, &component.version, step.as_deref().unwrap_or_default());
        let known = find.query_row(params![plugin, version, step, hour], |row| row.get::<_, String>(0)).optional()?;
        let mut sum = known.map_or_else(|| Ok(Tally::default()), |body| parse(&body))?;
        sum.merge(tally);
        let body = serde_json::to_string(&sum).map_err(|error| Error::Corrupt(error.into()))?;
        put.execute(params![plugin, version, step, hour, body])?;
    }
    Ok(())
}

/// Returns the counts of one plugin, from the hour `first` on.
pub(super) fn read(connection: &Connection, plugin: &str, first: i64) -> Result<Written, Error> {
    let mut find = connection
        .prepare("SELECT version, step, hour, body FROM tally WHERE plugin = ?1 AND hour >= ?2 ORDER BY hour DESC")?;
    let mut rows = find.query(params![plugin, first])?;
    let mut written = Written::new();
    while let Some(row) = rows.next()? {
        let step = Some(row.get::<_, String>(1)?).filter(|step| !step.is_empty());
        let hour = jiff::Timestamp::from_second(row.get::<_, i64>(2)?.saturating_mul(HOUR));
        let hour = hour.map_err(|error| Error::Corrupt(error.into()))?;
        let calls = parse(&row.get::<_, String>(3)?)?;
        written.entry((row.get(0)?, step)).or_default().push(HourTally { hour, calls });
    }
    Ok(written)
}

fn parse(body: &str) -> Result<Tally, Error> {
    serde_json::from_str(body).map_err(|error| Error::Corrupt(error.into()))
}
