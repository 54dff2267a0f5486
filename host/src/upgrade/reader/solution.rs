//! Reads exported solutions and archives of `loadout export`, each as a whole: solutions have limits that packages do
//! not have.

use crate::import::{self, SolutionRows};

use super::{ReadError, Record};

/// A solution that was read.
pub(super) struct Solution {
    zip: Vec<u8>,
    rows: SolutionRows,
}

impl Solution {
    pub(super) fn read(zip: Vec<u8>) -> Result<Self, ReadError> {
        let rows = import::rows(&zip)?;
        Ok(Self { zip, rows })
    }

    pub(super) fn zip(&self) -> &[u8] {
        &self.zip
    }

    pub(super) fn name(&self) -> &str {
        &self.rows.summary.unique_name
    }

    pub(super) fn platform(&self) -> Option<&str> {
        self.rows.platform.as_deref()
    }

    pub(super) fn prefix(&self) -> &str {
        &self.rows.prefix
    }

    pub(super) fn read_all<E>(&self, visit: &mut dyn FnMut(Record) -> Result<(), E>) -> Result<(), E> {
        let rows = self.rows.rows.iter().cloned().map(Record::Row);
        let links = self.rows.links.iter().cloned().map(Record::Link);
        rows.chain(links).try_for_each(visit)
    }
}
