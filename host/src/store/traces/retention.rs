//! Removes records that are too old, and the oldest if they are too many.

use rusqlite::{Connection, params};

use crate::domain::TraceSettings;
use crate::domain::trace::TraceId;

use super::super::Error;
use super::counts;

/// The most records removed in one statement, so that no other writer waits long.
const PIECE: usize = 500;

/// Removes the records that the settings do not keep. Returns how many.
pub(super) fn enforce(
    connection: &mut Connection,
    settings: &TraceSettings,
    now: jiff::Timestamp,
) -> Result<usize, Error> {
    let kept = jiff::SignedDuration::from_hours(24 * i64::from(settings.retention_days));
    // If the time is out of range, 1970 takes its place: no record is older.
    let oldest = now.checked_sub(kept).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let mut removed = 0;
    loop {
        let piece = remove(connection, &TraceId::before(oldest).to_string(), PIECE)?;
        removed += piece;
        if piece < PIECE {
            break;
        }
    }
    connection.execute("DELETE FROM tally WHERE hour < ?1", [counts::hour(oldest)])?;
    let most = u64::from(settings.retention_megabytes) << 20;
    while used(connection)? > most {
        let rows: usize = connection.query_row("SELECT count(*) FROM call", [], |row| row.get(0))?;
        // About three percent at a time, so that the rest stays just below the limit.
        let piece = remove(connection, "g", (rows / 32).clamp(1, PIECE))?;
        removed += piece;
        if piece == 0 {
            break;
        }
    }
    if removed > 0 {
        give_back(connection)?;
    }
    Ok(removed)
}

/// Removes up to `count` records before `id`, the oldest first. Returns how many.
fn remove(connection: &Connection, id: &str, count: usize) -> Result<usize, Error> {
    let sql = "DELETE FROM call WHERE id IN (SELECT id FROM call WHERE id < ?1 ORDER BY id LIMIT ?2)";
    Ok(connection.prepare_cached(sql)?.execute(params![id, count])?)
}

/// Returns the bytes of the file that are in use.
fn used(connection: &Connection) -> Result<u64, Error> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, u64>(0));
    Ok((pragma("page_count")? - pragma("freelist_count")?) * pragma("page_size")?)
}

/// Gives the room of removed records back to the file system.
fn give_back(connection: &Connection) -> Result<(), Error> {
    let mut vacuum = connection.prepare("PRAGMA incremental_vacuum")?;
    let mut steps = vacuum.query([])?;
    while steps.next()?.is_some() {}
    Ok(())
}
