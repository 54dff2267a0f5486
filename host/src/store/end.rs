//! How the transaction of a change set ends.

use rusqlite::Connection;

use super::change::Committed;
use super::error::Error;

/// More work with the outcome of a change set before the transaction ends, whether or not something changed.
pub(super) type Also<'a> = &'a dyn Fn(&Connection, &Committed) -> Result<(), Error>;

/// How the transaction of a change set ends: committed or rolled back.
#[derive(Clone, Copy)]
pub(super) enum End<'a> {
    /// The transaction is committed.
    Keep(Also<'a>),
    /// The transaction is rolled back.
    Forget(Also<'a>),
}
