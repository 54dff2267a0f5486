//! What the host keeps for one call: its reads, its meter, and what it wrote.

use std::sync::Arc;

use crate::resolve::Reads;

use super::limits::{Exceeded, Limits, Meter};

/// The seed of all random numbers. Any constant does; this one is the fraction of the golden ratio.
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// What the host keeps for one call.
#[derive(Debug)]
pub(super) struct State {
    pub(super) plugin: Arc<str>,
    pub(super) reads: Reads,
    pub(super) meter: Meter,
    stderr: Vec<u8>,
    random: u64,
}

impl State {
    pub(super) fn new(plugin: Arc<str>, limits: Limits, reads: Reads) -> Self {
        Self { plugin, reads, meter: Meter::new(limits), stderr: Vec::new(), random: SEED }
    }

    /// What was written to standard error and still fitted.
    pub(super) fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Keeps a piece of standard error, if it fits.
    pub(super) fn write_stderr(&mut self, bytes: &[u8]) -> Result<(), Exceeded> {
        if self.meter.log(bytes.len())? {
            self.stderr.extend_from_slice(bytes);
        }
        Ok(())
    }

    /// Passes a trace line on, if it fits. Shown escaped, so that a line stays one line.
    pub(super) fn trace(&mut self, level: &'static str, line: &str) -> Result<(), Exceeded> {
        if self.meter.log(line.len() + 1)? {
            tracing::debug!(plugin = %self.plugin, level, "{line:?}");
        }
        Ok(())
    }

    /// The next number of a sequence that is the same in every call (SplitMix64).
    pub(super) fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(SEED);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
