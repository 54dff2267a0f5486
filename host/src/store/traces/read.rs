//! Looking at records.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params_from_iter};

use crate::domain::trace::{CallTrace, Outcome, TraceId};

use super::super::Error;
use super::writer::Detail;

/// Which records.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TraceFilter {
    /// Of this plugin, as `publisher/name`.
    pub plugin: Option<String>,
    /// Of this version of it.
    pub version: Option<String>,
    /// Of calls that ended so.
    pub outcome: Option<Outcome>,
    /// Of calls that were asked this.
    pub message: Option<String>,
    /// About this.
    pub resource: Option<String>,
    /// As this step.
    pub step: Option<String>,
    /// Caused by this request.
    pub request: Option<String>,
    /// Made for this decision.
    pub decision: Option<String>,
    /// Begun then or later.
    pub since: Option<jiff::Timestamp>,
    /// Begun before.
    pub until: Option<jiff::Timestamp>,
    /// That took longer than this many microseconds.
    pub slower_than: Option<u64>,
}

impl TraceFilter {
    /// The conditions, each with one question mark, and what stands for it.
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

/// Up to `limit` records that pass, the newest first, behind `after`.
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

/// One record, whole.
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
