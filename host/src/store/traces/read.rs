//! Reads records of the log.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params_from_iter};

use crate::domain::trace::{CallTrace, Outcome, TraceId};

use super::super::Error;
use super::writer::Detail;

/// Which records are read. All the conditions that are given hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TraceFilter {
    /// The plugin that was called, as `publisher/name`.
    pub plugin: Option<String>,
    /// The version of the plugin.
    pub version: Option<String>,
    /// The outcome of the call.
    pub outcome: Option<Outcome>,
    /// The message the plugin was called with.
    pub message: Option<String>,
    /// The resource the call was about.
    pub resource: Option<String>,
    /// The step as which the plugin was called.
    pub step: Option<String>,
    /// The request that caused the call.
    pub request: Option<String>,
    /// The decision for which the call was made.
    pub decision: Option<String>,
    /// The earliest time at which the call began.
    pub since: Option<jiff::Timestamp>,
    /// The time before which the call began.
    pub until: Option<jiff::Timestamp>,
    /// The call took longer than this many microseconds.
    pub slower_than: Option<u64>,
}

impl TraceFilter {
    /// Returns the conditions, each with one question mark, and the value for it.
    fn conditions(&self) -> Vec<(&'static str, Value)> {
        let text = |text: &Option<String>| text.clone().map(Value::Text);
        let id = |at: jiff::Timestamp| Value::Text(TraceId::before(at).to_string());
        let conditions = [
            ("plugin = ?", text(&self.plugin)),
            ("version = ?", text(&self.version)),
            ("outcome = ?", self.outcome.map(|outcome| Value::Text(outcome.as_str().to_owned()))),
            ("message = ?", text(&self.message)),
            ("resource = ?", text(&self.resource)),
            ("step = ?", text(&self.step)),
            ("request = ?", text(&self.request)),
            ("decision = ?", text(&self.decision)),
            ("id >= ?", self.since.map(id)),
            ("id < ?", self.until.map(id)),
            ("micros > ?", self.slower_than.map(|micros| Value::Integer(i64::try_from(micros).unwrap_or(i64::MAX)))),
        ];
        conditions.into_iter().filter_map(|(condition, value)| Some((condition, value?))).collect()
    }
}

/// Returns up to `limit` records that match the filter and are older than `after`, the newest first.
pub(super) fn list(
    connection: &Connection,
    filter: &TraceFilter,
    after: Option<TraceId>,
    limit: usize,
) -> Result<Vec<CallTrace>, Error> {
    let mut conditions = filter.conditions();
    conditions.extend(after.map(|after| ("id < ?", Value::Text(after.to_string()))));
    let (clauses, mut values): (Vec<&str>, Vec<Value>) = conditions.into_iter().unzip();
    let passes = if clauses.is_empty() { "TRUE".to_owned() } else { clauses.join(" AND ") };
    values.push(Value::Integer(i64::try_from(limit).unwrap_or(i64::MAX)));
    let mut find = connection.prepare(&format!("SELECT body FROM call WHERE {passes} ORDER BY id DESC LIMIT ?"))?;
    let mut rows = find.query(params_from_iter(values))?;
    let mut traces = Vec::new();
    while let Some(row) = rows.next()? {
        traces.push(parse(&row.get::<_, String>(0)?)?);
    }
    Ok(traces)
}

/// Returns one record, with its texts and its backtrace.
pub(super) fn one(connection: &Connection, id: TraceId) -> Result<Option<CallTrace>, Error> {
    let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, Option<String>>(1)?));
    let sql = "SELECT body, detail FROM call WHERE id = ?1";
    let Some((body, detail)) = connection.query_row(sql, [id.to_string()], read).optional()? else { return Ok(None) };
    let mut trace: CallTrace = parse(&body)?;
    if let Some(detail) = detail {
        let Detail { backtrace, text } = parse(&detail)?;
        (trace.backtrace, trace.text) = (backtrace, text);
    }
    Ok(Some(trace))
}

fn parse<T: serde::de::DeserializeOwned>(body: &str) -> Result<T, Error> {
    serde_json::from_str(body).map_err(|error| Error::Corrupt(error.into()))
}
