//! The permit to read an archive. There is one, because reading an archive may take some hundred megabytes of memory,
//! however well it is bounded.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use crate::service::{Error, Service};

/// Whether an archive is being read.
#[derive(Debug, Default)]
pub(in crate::service) struct Turns(AtomicBool);

/// The permit to read an archive, until it is dropped.
#[derive(Debug)]
pub(in crate::service) struct Turn<'a>(&'a AtomicBool);

impl Turns {
    /// Takes the permit, or is refused: a client that sends archives waits better than a server that has to keep them.
    pub(in crate::service) fn take(&self) -> Result<Turn<'_>, Error> {
        if self.0.swap(true, SeqCst) { Err(Error::Occupied) } else { Ok(Turn(&self.0)) }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.store(false, SeqCst);
    }
}

impl Service {
    /// Refuses an archive before it is sent while another one is being read.
    pub fn may_read_archive(&self) -> Result<(), Error> {
        self.turns.take().map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_one_and_is_given_back_whatever_happens() {
        let turns = Turns::default();
        let turn = turns.take().unwrap();
        assert!(matches!(turns.take(), Err(Error::Occupied)));
        drop(turn);
        let broke = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _turn = turns.take().unwrap();
            panic!("the archive was worse than anything thought of");
        }));
        assert!(broke.is_err());
        turns.take().unwrap();
    }
}
