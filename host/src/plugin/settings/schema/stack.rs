//! Work that goes as deep as its input, on a stack of known size.
//!
//! A thread of the server's pool has 2 MiB of stack and has used some of it; what is left is nothing to build on.

use std::{io, thread};

/// Bytes of stack: far more than the deepest schema and the deepest settings within their caps take.
const STACK: usize = 8 << 20;

/// Work that was not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum Undone {
    /// There was no thread for it.
    #[error("there is no thread for it now ({0}): try again")]
    NoThread(#[from] io::Error),
    /// It panicked.
    #[error("the host broke over it: please report this")]
    Panicked,
}

/// Does `work` on a thread of its own, and waits for it.
pub(super) fn on_its_own<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, Undone> {
    thread::scope(|scope| {
        let builder = thread::Builder::new().name("settings-schema".to_owned()).stack_size(STACK);
        builder.spawn_scoped(scope, work)?.join().map_err(|_| Undone::Panicked)
    })
}
