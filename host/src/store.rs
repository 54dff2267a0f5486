//! Where the configuration lives. The one module that names `rusqlite` and writes SQL.

mod change;
mod snapshot;

pub use change::{Change, ChangeSet, Changed, Committed, Expect, How, Replaced, Strictness, Tolerated};
pub use snapshot::{Entry, Layer, Snapshot};
