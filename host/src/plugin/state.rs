//! What the host keeps for one call: its reads, its meter, and what it wrote.

use std::sync::Arc;

use wasmtime::component::ResourceTable;
use wasmtime_wasi::WasiCtx;

use crate::resolve::Reads;

use super::limits::{Exceeded, Limits, Meter};
use super::wasi;

/// What the host keeps for one call.
pub(super) struct State {
    pub(super) plugin: Arc<str>,
    pub(super) reads: Reads,
    pub(super) meter: Meter,
    stderr: Vec<u8>,
    random: u64,
    wasi: Option<Box<(WasiCtx, ResourceTable)>>,
}

impl State {
    pub(super) fn new(plugin: Arc<str>, limits: Limits, reads: Reads) -> Self {
        Self { plugin, reads, meter: Meter::new(limits), stderr: Vec::new(), random: 0, wasi: None }
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

    /// The next eight random bytes, the same in every call: a Weyl sequence, mixed.
    pub(super) fn random(&mut self) -> [u8; 8] {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)).to_le_bytes()
    }

    /// The part of WASI that the library answers, made when it is first asked for: most rules never do.
    pub(super) fn wasi(&mut self) -> (&mut WasiCtx, &mut ResourceTable) {
        let (ctx, table) = &mut **self.wasi.get_or_insert_with(|| Box::new((wasi::nothing(), ResourceTable::new())));
        (ctx, table)
    }
}
