//! Where the configuration lives. The one module that names `rusqlite` and writes SQL.

mod snapshot;

pub use snapshot::{Entry, Layer, Snapshot};
